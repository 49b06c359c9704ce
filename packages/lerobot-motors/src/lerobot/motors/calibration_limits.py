"""What a calibration may hold: the motors' registers set it, and no file may exceed it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lerobot.core.errors import CalibrationError
from lerobot.motors.motor import MotorCalibration

HINT = "Nothing was written. Calibrate the device again: lerobot calibrate --help"


@dataclass(frozen=True)
class CalibrationLimits:
    """What one motor can hold of a calibration.

    Attributes:
        id: its address; None if it is not known.
        position: smallest and largest end of its travel, in encoder steps.
        homing_offset: smallest and largest offset; None if it keeps none, so that any number is ignored.
        drive_mode: smallest and largest drive mode.
    """

    id: int | None
    position: tuple[int, int]
    homing_offset: tuple[int, int] | None
    drive_mode: tuple[int, int] = (0, 1)


def require_possible(
    calibration: Mapping[str, MotorCalibration],
    limits: Mapping[str, CalibrationLimits] | None,
    *,
    source: str,
    whole: bool = True,
) -> None:
    """Check a calibration before any of it is used.

    Args:
        calibration: calibration by motor name.
        limits: what the motors can hold, by motor name; None if they are not known: then only what no motor at all can
            have is refused.
        source: where it comes from, which every line of the error begins with.
        whole: whether every motor needs an entry.

    Raises:
        CalibrationError: it is impossible; says all of it, a line per problem with motor, value and what is allowed.
    """
    problems = list(_between_motors(calibration, limits, whole=whole))
    for name, entry in calibration.items():
        problems += _of_motor(name, entry, limits.get(name) if limits is not None else None)
    if problems:
        raise CalibrationError("\n".join(f"{source}: {problem}" for problem in problems), hint=HINT)


def _between_motors(
    calibration: Mapping[str, MotorCalibration], limits: Mapping[str, CalibrationLimits] | None, *, whole: bool
) -> Iterator[str]:
    owners: dict[int, str] = {}
    for name, entry in calibration.items():
        owner = owners.setdefault(entry.id, name)
        if owner != name:
            yield f"{name}: id is {entry.id}, which {owner} has; allowed is one id per motor"
    if limits is None:
        return
    motors = ", ".join(limits)
    for name in calibration:
        if name not in limits:
            yield f"{name}: there is no such motor; allowed are {motors}"
    for name in limits:
        if whole and name not in calibration:
            yield f"{name}: it has no entry; allowed is one for each of {motors}"


def _of_motor(name: str, entry: MotorCalibration, limits: CalibrationLimits | None) -> Iterator[str]:
    if limits is not None:
        if limits.id not in {None, entry.id}:
            yield f"{name}: id is {entry.id}; allowed is {limits.id}, the id of that motor"
        for field, allowed in (
            ("drive_mode", limits.drive_mode),
            ("homing_offset", limits.homing_offset),
            ("range_min", limits.position),
            ("range_max", limits.position),
        ):
            value = getattr(entry, field)
            if allowed is not None and not allowed[0] <= value <= allowed[1]:
                yield f"{name}: {field} is {value}; allowed is {allowed[0]} to {allowed[1]}"
    if entry.range_min >= entry.range_max:
        yield f"{name}: range_min is {entry.range_min}; allowed is less than range_max, which is {entry.range_max}"
