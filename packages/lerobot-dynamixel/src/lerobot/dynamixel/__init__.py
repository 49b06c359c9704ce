"""Dynamixel X servos, protocol 2.0."""

from lerobot.dynamixel.bus import DynamixelMotorsBus, OperatingMode
from lerobot.motors.motor import DriveMode, TorqueMode

__all__ = ["DriveMode", "DynamixelMotorsBus", "OperatingMode", "TorqueMode"]
