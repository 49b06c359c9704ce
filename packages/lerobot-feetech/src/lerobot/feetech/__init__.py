"""Feetech STS, SMS and SCS servos."""

from lerobot.feetech.bus import FeetechMotorsBus, OperatingMode
from lerobot.motors.motor import DriveMode, TorqueMode

__all__ = ["DriveMode", "FeetechMotorsBus", "OperatingMode", "TorqueMode"]
