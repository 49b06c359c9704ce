"""What a motor on a bus is, and what its calibration holds."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class MotorNormMode(StrEnum):
    """Unit in which a motor's position is read and written."""

    RANGE_0_100 = "range_0_100"
    """0 at one end of the calibrated range, 100 at the other; what grippers use."""

    RANGE_M100_100 = "range_m100_100"
    """-100 at one end of the calibrated range, 100 at the other."""

    DEGREES = "degrees"
    """Degrees from the middle of the calibrated range."""


class DriveMode(Enum):
    """Direction of a motor, as its calibration has it; bit 0 of the register, where a servo reverses itself."""

    NON_INVERTED = 0
    INVERTED = 1


class TorqueMode(Enum):
    """Content of Torque_Enable."""

    ENABLED = 1
    DISABLED = 0


@dataclass
class Motor:
    """One motor of a bus.

    Attributes:
        id: address on the bus.
        model: name in the bus's model tables, such as `"sts3215"` or `"xl330-m288"`.
        norm_mode: unit of its position.
    """

    id: int
    model: str
    norm_mode: MotorNormMode


@dataclass
class MotorCalibration:
    """Calibration of one motor, in raw encoder steps; the five integers of a calibration file.

    Attributes:
        id: address of the motor it was made for.
        drive_mode: 1 if the user's direction is opposite to the encoder's, else 0.
        homing_offset: value of the motor's Homing_Offset register.
        range_min: smallest position of the travel, as the homed motor reports it.
        range_max: largest position of the travel, as the homed motor reports it.
    """

    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int
