"""Between encoder steps and the units a user sees; the arithmetic recorded datasets rely on."""

import math

from lerobot.core.errors import CalibrationError
from lerobot.motors.errors import MotorValueError
from lerobot.motors.motor import MotorCalibration, MotorNormMode


def normalize(
    raw: int, calibration: MotorCalibration, mode: MotorNormMode, resolution: int, *, honours_drive_mode: bool
) -> float:
    """Convert a position a motor reported.

    Degrees count 360 over `resolution - 1` steps from the middle of the calibrated range, are not limited to that
    range and ignore the drive mode; the other modes are limited to the range and follow it.

    Args:
        raw: encoder steps, signed.
        calibration: calibration of that motor.
        mode: unit to convert to.
        resolution: encoder steps of a full turn.
        honours_drive_mode: whether `calibration.drive_mode` reverses the direction on this bus.

    Returns:
        The position in `mode`'s unit.

    Raises:
        CalibrationError: the calibrated range is empty.
    """
    low, high = _range(calibration)
    if mode is MotorNormMode.DEGREES:
        return (raw - (low + high) / 2) * 360 / (resolution - 1)
    fraction = (min(high, max(low, raw)) - low) / (high - low)
    reverse = honours_drive_mode and calibration.drive_mode == 1
    if mode is MotorNormMode.RANGE_M100_100:
        value = fraction * 200 - 100
        return -value if reverse else value
    value = fraction * 100
    return 100 - value if reverse else value


def unnormalize(
    value: float, calibration: MotorCalibration, mode: MotorNormMode, resolution: int, *, honours_drive_mode: bool
) -> int:
    """Convert a position to send; the result is truncated towards zero, not rounded.

    Args:
        value: position in `mode`'s unit.
        calibration: calibration of that motor.
        mode: unit of `value`.
        resolution: encoder steps of a full turn.
        honours_drive_mode: whether `calibration.drive_mode` reverses the direction on this bus.

    Returns:
        Encoder steps, signed; within the calibrated range except for degrees.

    Raises:
        CalibrationError: the calibrated range is empty.
        MotorValueError: `value` is not a finite number.
    """
    if not math.isfinite(value):
        raise MotorValueError(f"{value} is no position.", expected="a finite number")
    low, high = _range(calibration)
    if mode is MotorNormMode.DEGREES:
        return int(value * (resolution - 1) / 360 + (low + high) / 2)
    reverse = honours_drive_mode and calibration.drive_mode == 1
    if mode is MotorNormMode.RANGE_M100_100:
        limited = min(100.0, max(-100.0, -value if reverse else value))
        return int((limited + 100) / 200 * (high - low) + low)
    limited = min(100.0, max(0.0, 100 - value if reverse else value))
    return int(limited / 100 * (high - low) + low)


def _range(calibration: MotorCalibration) -> tuple[int, int]:
    if calibration.range_min == calibration.range_max:
        raise CalibrationError(
            f"the calibrated range of motor {calibration.id} is empty: min and max are {calibration.range_min}.",
            expected="range_min < range_max",
            hint="Calibrate the device again.",
        )
    return calibration.range_min, calibration.range_max
