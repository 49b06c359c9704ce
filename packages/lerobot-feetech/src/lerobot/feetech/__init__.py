"""Feetech STS, SMS and SCS servos."""

from lerobot.feetech.bus import DriveMode, FeetechMotorsBus, OperatingMode, TorqueMode

__all__ = ["DriveMode", "FeetechMotorsBus", "OperatingMode", "TorqueMode"]
