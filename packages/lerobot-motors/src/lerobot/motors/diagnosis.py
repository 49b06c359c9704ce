"""Former place of `lerobot.motors.serial.diagnosis`."""

from lerobot.motors.former import handed_on

__getattr__ = handed_on(__name__, "lerobot.motors.serial.diagnosis")
