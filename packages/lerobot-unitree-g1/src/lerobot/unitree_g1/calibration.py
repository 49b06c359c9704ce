"""The calibration file of an exoskeleton's arm, as huggingface/lerobot writes it (version 2)."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.core.durable import replace_text
from lerobot.core.errors import CalibrationError
from lerobot.core.json_file import read_json
from lerobot.unitree_g1.ellipse import ADC_MAX, JointFit

VERSION = 2
RECALIBRATE = "Calibrate anew: lerobot calibrate --teleop.type=unitree_g1."

SENSORS: Mapping[str, tuple[int, int]] = {
    "shoulder_pitch": (0, 1),
    "shoulder_yaw": (2, 3),
    "shoulder_roll": (4, 5),
    "elbow_flex": (6, 7),
    "wrist_roll": (14, 15),
}
"""Where the sine and the cosine of each joint stand in a line."""


def save_calibration(path: Path, side: str, fits: Mapping[str, JointFit]) -> None:
    """Write the calibration of an arm; an interrupted write leaves the old file."""
    joints = [
        {
            "name": name,
            "center_fit": list(fit.center),
            "T": [list(row) for row in fit.transform],
            "zero_offset": fit.zero_offset,
        }
        for name, fit in fits.items()
    ]
    content = {"version": VERSION, "side": side, "adc_max": ADC_MAX, "joints": joints}
    replace_text(path, json.dumps(content, indent=2))


def load_calibration(path: Path, side: str) -> dict[str, JointFit]:
    """Read the calibration of an arm.

    Raises:
        CalibrationError: the file cannot be read, is another arm's, or lacks a joint; says which.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise CalibrationError(f"{path} cannot be read: {error}.", hint=RECALIBRATE) from error
    if not isinstance(content, dict) or content.get("version") != VERSION or content.get("adc_max") != ADC_MAX:
        raise CalibrationError(
            f"{path} is no calibration of an exoskeleton.", expected=f"version {VERSION}, adc_max {ADC_MAX}"
        )
    if content.get("side") not in (side, ""):
        raise CalibrationError(f"{path} is of the {content.get('side')} arm.", expected=f"the {side} one")
    joints = content.get("joints")
    named = {each.get("name"): each for each in joints if isinstance(each, dict)} if isinstance(joints, list) else {}
    return {name: _fit(path, name, named.get(name)) for name in SENSORS}


def _fit(path: Path, name: str, entry: Mapping[str, Any] | None) -> JointFit:
    if entry is None:
        raise CalibrationError(f"{path} has no {name}.", expected=", ".join(SENSORS), hint=RECALIBRATE)
    try:
        x, y = map(float, entry["center_fit"])
        (a, b), (c, d) = (map(float, row) for row in entry["T"])
        zero = float(entry.get("zero_offset", 0.0))
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"{path}: {name} is {str(entry)[:80]}.", hint=RECALIBRATE) from error
    if not all(map(math.isfinite, (x, y, a, b, c, d, zero))) or a * d == b * c:
        raise CalibrationError(f"{path}: {name} has no angle.", expected="finite numbers, and T invertible")
    return JointFit((x, y), ((a, b), (c, d)), zero)
