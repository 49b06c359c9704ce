"""Former place of `lerobot.dynamixel`."""

from lerobot.motors.former import handed_on

__getattr__ = handed_on(__name__, "lerobot.dynamixel")
