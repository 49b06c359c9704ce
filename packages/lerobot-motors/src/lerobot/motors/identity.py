"""Former place of `lerobot.motors.serial.identity`."""

from lerobot.motors.former import handed_on

__getattr__ = handed_on(__name__, "lerobot.motors.serial.identity")
