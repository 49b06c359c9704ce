"""Calibration of the fake arm, in the field's file format."""

import json
from pathlib import Path

from lerobot.core.errors import CalibrationError
from lerobot.core.fake.joints import RANGES
from lerobot.core.json_file import ENCODING

FIELDS = ("id", "drive_mode", "homing_offset", "range_min", "range_max")

Calibration = dict[str, dict[str, int]]
"""The five numbers of `FIELDS` by joint, as calibration files hold them."""


def factory_calibration() -> Calibration:
    """What the virtual servos hold when they are new: no offset and the full turn of 4096 steps."""
    return {
        joint: dict(zip(FIELDS, (number, 0, 0, 0, 4095), strict=True)) for number, joint in enumerate(RANGES, start=1)
    }


def measured_calibration() -> Calibration:
    """What calibrating finds: the horns of the virtual servos sit 17 steps further on each joint."""
    return {
        joint: dict(zip(FIELDS, (number, 0, 17 * number, 1000 + number, 3000 + number), strict=True))
        for number, joint in enumerate(RANGES, start=1)
    }


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration file; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(calibration, indent=4), encoding="utf-8")


def read_calibration(path: Path) -> Calibration | None:
    """Read a calibration file.

    Returns:
        The calibration, or None if there is no such file.

    Raises:
        CalibrationError: the file is not a calibration of this arm; names the file and what is wrong with it.
    """
    try:
        text = path.read_text(encoding=ENCODING)
    except FileNotFoundError:
        return None
    hint = f"Delete the file and calibrate again: {path}"
    expected = f"five whole numbers ({', '.join(FIELDS)}) for each of {', '.join(RANGES)}"
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CalibrationError(f"{path} is not JSON: {error}", expected=expected, hint=hint) from error
    whole = isinstance(found, dict) and all(
        isinstance(joint, dict) and set(joint) == set(FIELDS) and all(type(value) is int for value in joint.values())
        for joint in found.values()
    )
    if not whole or set(found) != set(RANGES):
        raise CalibrationError(f"{path} does not fit the fake arm.", expected=expected, hint=hint)
    return dict(found)
