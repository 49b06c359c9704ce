"""Former place of `lerobot.feetech`."""

from lerobot.motors.former import handed_on

__getattr__ = handed_on(__name__, "lerobot.feetech")
