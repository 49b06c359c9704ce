"""Calibration files: the peer's JSON, read strictly and written exactly."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml

from lerobot.core.device import calibration_path
from lerobot.core.durable import replace_text
from lerobot.core.errors import CalibrationError
from lerobot.core.json_file import read_json
from lerobot.core.paths import calibration_root, user_path
from lerobot.motors.calibration_limits import CalibrationLimits, require_possible
from lerobot.motors.motor import MotorCalibration

log = logging.getLogger(__name__)

_FIELDS = tuple(field.name for field in fields(MotorCalibration))
LEGACY_FIELDS = ("calib_mode", "drive_mode", "homing_offset", "start_pos", "end_pos")
"""Lists of a file of lerobot 0.3 or older, with an entry per motor."""
_RECALIBRATE = "Calibrate the device again: lerobot calibrate --help"


def load_calibration(path: Path, limits: Mapping[str, CalibrationLimits] | None = None) -> dict[str, MotorCalibration]:
    """Read a calibration file.

    Args:
        path: a JSON object with one entry of five integers per motor name.
        limits: what the motors it is for can hold, by name; None refuses only what no motor can have.

    Returns:
        Calibration by motor name, in the file's order.

    Raises:
        CalibrationError: the file cannot be read, is no JSON, or holds something else or what is
            impossible; names what it holds.
    """
    path = user_path(path)
    try:
        content = read_json(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read: {error.strerror}.", hint=_RECALIBRATE) from error
    except ValueError as error:
        raise CalibrationError(f"{path} is no JSON: {error}.", hint=_RECALIBRATE) from error
    if not isinstance(content, dict) or not content:
        raise CalibrationError(f"{path} holds no motors.", expected="an object with an entry per motor")
    _refuse_other_formats(path, content)
    calibration = {name: _entry(path, name, entry) for name, entry in content.items()}
    require_possible(calibration, limits, source=str(path))
    return calibration


def save_calibration(path: Path, calibration: Mapping[str, MotorCalibration]) -> None:
    """Write a calibration file as the peer does: indented by 4, integers, no newline at the end.

    The file is replaced in one step, so an interrupted write leaves the old one.
    """
    text = json.dumps({name: asdict(entry) for name, entry in calibration.items()}, indent=4)
    replace_text(user_path(path), text)


def find_calibration(
    role: str,
    name: str,
    id: str | None,  # noqa: A002
    directory: Path | None,
    former_names: Iterable[str] = (),
) -> Path:
    """Find the calibration file of a device, also where releases before a renaming left it.

    Args:
        role: `"robots"` or `"teleoperators"`.
        name: name of the device class.
        id: name of this very device.
        directory: folder chosen by the user, which then is the only one searched.
        former_names: names the device class had in earlier releases, newest first.

    Returns:
        The first file that exists, else the place where a new one belongs.
    """
    names = [name] if directory is not None else [name, *former_names]
    for spelled in _spellings(id):
        for folder in names:
            path = calibration_path(role, folder, spelled, directory)
            if path.is_file():
                if spelled != id:
                    log.info("id %r: using %s, as huggingface/lerobot spells it", id, path)
                return path
    return calibration_path(role, name, id, directory)


def known_calibrations(beside: Path) -> list[Path]:
    """All calibration files there are: those of every device at the default place, and those beside a file."""
    files = [*beside.parent.glob("*.json"), *calibration_root().glob("*/*/*.json")]
    return sorted({file.resolve() for file in files})


def is_legacy(content: Any) -> bool:
    """Whether the content of a JSON file is a calibration of lerobot 0.3 or older."""
    return isinstance(content, dict) and {"motor_names", *LEGACY_FIELDS} <= content.keys()


def _spellings(id: str | None) -> list[str | None]:  # noqa: A002
    """An id as it is, and as huggingface/lerobot has it after reading it as YAML: `001` becomes `1`, `on` `True`."""
    if id is None:
        return [None]
    try:
        other = str(yaml.safe_load(id))
    except yaml.YAMLError:
        return [id]
    return [id] if other == id or "/" in other else [id, other]


def _refuse_other_formats(path: Path, content: dict[str, Any]) -> None:
    """Name the formats that are known but hold too little for this one.

    The files of releases up to 0.3 record the software offsets of two poses, not the travel of the joints, so no arm
    can be driven with one; `lerobot.motors.legacy` reads them to convert what was recorded with them.
    """
    if is_legacy(content):
        kind = "a calibration of lerobot 0.3 or older (homing_offset, start_pos, end_pos, calib_mode)"
        reason = "it records two poses, not the travel of the joints"
    elif all(isinstance(entry, dict) and {"name", "min", "max"} <= entry.keys() for entry in content.values()):
        kind = "a draft calibration keyed by motor id (name, min, max)"
        reason = "its offsets are software offsets that no motor holds"
    elif all(isinstance(entry, list) for entry in content.values()):
        kind = "a table of joint limits (one [min, max] pair per joint)"
        reason = "it has neither motor ids nor homing offsets"
    else:
        return
    raise CalibrationError(
        f"{path} is {kind}; {reason}.",
        expected=f"one object per motor with {', '.join(_FIELDS)}",
        hint=_RECALIBRATE,
    )


def _entry(path: Path, name: str, entry: Any) -> MotorCalibration:
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        given = ", ".join(entry) if isinstance(entry, dict) else repr(entry)
        raise CalibrationError(f"{path}: motor {name!r} has {given}.", expected=", ".join(_FIELDS), hint=_RECALIBRATE)
    for field, value in entry.items():
        if type(value) is not int:
            raise CalibrationError(f"{path}: {field} of motor {name!r} is {value!r}.", expected="an integer")
    return MotorCalibration(**entry)
