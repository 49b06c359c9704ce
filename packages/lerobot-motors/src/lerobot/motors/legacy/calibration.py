"""The calibration files of lerobot 0.3 and older: one list per field, an entry per motor.

Those releases kept the homing in software. A `DEGREE` motor is at
`(position, negated where drive_mode is 1, + homing_offset) / (resolution // 2) * 180`, a `LINEAR` one at
`(position - start_pos) / (end_pos - start_pos) * 100`, with the position counted by an encoder without any offset in
its registers (source: format and arithmetic of lerobot 0.1 to 0.3).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lerobot.core.errors import CalibrationError
from lerobot.core.json_file import read_json
from lerobot.core.paths import user_path
from lerobot.motors.calibration_file import LEGACY_FIELDS, is_legacy


class LegacyMode(StrEnum):
    """Unit of a motor's position."""

    DEGREE = "DEGREE"
    """Degrees from the zero pose."""

    LINEAR = "LINEAR"
    """0 at one end of the travel, 100 at the other."""


@dataclass(frozen=True)
class LegacyMotorCalibration:
    """Calibration of one motor, in encoder steps.

    Attributes:
        calib_mode: unit of its position.
        drive_mode: 1 if positions count against the encoder, else 0.
        homing_offset: added to the (negated) position, in `DEGREE` mode.
        start_pos: position that is 0, in `LINEAR` mode.
        end_pos: position that is 100, in `LINEAR` mode.
    """

    calib_mode: LegacyMode
    drive_mode: int
    homing_offset: int
    start_pos: int
    end_pos: int

    def normalize(self, raw: float, resolution: int) -> float:
        """Convert encoder steps to degrees or percent.

        Raises:
            CalibrationError: the travel of a `LINEAR` motor is empty.
        """
        if self.calib_mode is LegacyMode.LINEAR:
            return (raw - self.start_pos) / self._travel * 100
        return ((-raw if self.drive_mode else raw) + self.homing_offset) / (resolution // 2) * 180

    def unnormalize(self, value: float, resolution: int) -> float:
        """Convert degrees or percent to encoder steps, which may lie outside one turn; the inverse of `normalize`.

        Raises:
            CalibrationError: the travel of a `LINEAR` motor is empty.
        """
        if self.calib_mode is LegacyMode.LINEAR:
            return value / 100 * self._travel + self.start_pos
        steps = value / 180 * (resolution // 2) - self.homing_offset
        return -steps if self.drive_mode else steps

    @property
    def has_travel(self) -> bool:
        """Whether positions can be told apart; false for a `LINEAR` motor that was not moved when calibrating."""
        return self.calib_mode is not LegacyMode.LINEAR or self.start_pos != self.end_pos

    @property
    def _travel(self) -> int:
        if not self.has_travel:
            raise CalibrationError(
                f"the travel of a motor is empty: start_pos and end_pos are {self.start_pos}.",
                expected="the ends of its travel",
                hint="What was recorded with this file holds no positions of that motor.",
            )
        return self.end_pos - self.start_pos


def load_legacy_calibration(path: Path) -> dict[str, LegacyMotorCalibration]:
    """Read a calibration file of lerobot 0.3 or older.

    Args:
        path: a JSON object with the lists `motor_names`, `calib_mode`, `drive_mode`, `homing_offset`, `start_pos` and
            `end_pos`.

    Returns:
        Calibration by motor name, in the file's order.

    Raises:
        CalibrationError: the file cannot be read, or holds something else.
    """
    path = user_path(path)
    try:
        content = read_json(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CalibrationError(f"{path} is no JSON: {error}.") from error
    if not is_legacy(content):
        raise CalibrationError(
            f"{path} is no calibration of lerobot 0.3 or older.",
            expected=f"lists motor_names, {', '.join(LEGACY_FIELDS)}",
        )
    try:
        rows = list(zip(content["motor_names"], *(content[field] for field in LEGACY_FIELDS), strict=True))
    except (TypeError, ValueError) as error:
        raise CalibrationError(f"{path} is damaged: {error}.", expected="lists of one length") from error
    entries = {name: _entry(path, name, *row) for name, *row in rows}
    if len(entries) != len(rows):
        raise CalibrationError(f"{path}: motor_names holds a name twice: {content['motor_names']}.")
    return entries


def _entry(path: Path, name: str, mode: Any, *steps: Any) -> LegacyMotorCalibration:
    if mode not in list(LegacyMode):
        raise CalibrationError(f"{path}: calib_mode of motor {name!r} is {mode!r}.", expected=" or ".join(LegacyMode))
    for field, value in zip(LEGACY_FIELDS[1:], steps, strict=True):
        if type(value) is not int:
            raise CalibrationError(f"{path}: {field} of motor {name!r} is {value!r}.", expected="an integer")
    entry = LegacyMotorCalibration(LegacyMode(mode), *steps)
    if entry.drive_mode not in {0, 1}:
        raise CalibrationError(f"{path}: drive_mode of motor {name!r} is {entry.drive_mode}.", expected="0 or 1")
    return entry
