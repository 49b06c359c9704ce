"""Errors of motor buses, below `DeviceError`."""

from lerobot.core.errors import DeviceError


class MotorError(DeviceError, RuntimeError):
    """A motor refused an instruction, or is not the motor that was expected."""


class MotorValueError(DeviceError, ValueError):
    """A value, register or motor name that this bus does not have, found before anything was sent."""
