"""Dynamixel X servos, protocol 2.0."""

from lerobot.dynamixel.bus import DriveMode, DynamixelMotorsBus, OperatingMode, TorqueMode

__all__ = ["DriveMode", "DynamixelMotorsBus", "OperatingMode", "TorqueMode"]
