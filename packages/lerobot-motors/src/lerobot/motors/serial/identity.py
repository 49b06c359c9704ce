"""Which arm a calibration belongs to, and why the arm that is plugged in does not fit.

Feetech and Dynamixel servos have no serial number. What tells arms apart is the USB adapter, which often has one, the
firmware of each motor, and above all the calibration the motors themselves hold: homing and limits of six joints are as
good as unique. The first two are kept beside the calibration file, in `<id>.identity`, so that the file itself stays as
other programs expect it.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from serial.tools import list_ports

from lerobot.core.errors import CalibrationError
from lerobot.core.json_file import read_json
from lerobot.motors.calibration_file import load_calibration
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.serial.chain import ServoChain

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an arm can be recognised by.

    Attributes:
        adapter: vendor, product and serial number of the USB adapter, `"1a86:55d3 58760431551"`; empty if it has no
            serial number.
        motors: model and firmware by motor name, `"sts3215 3.10"`.
    """

    adapter: str
    motors: dict[str, str]


def identity_path(calibration_file: Path) -> Path:
    """Where the identity of the arm of a calibration file is kept."""
    return calibration_file.with_suffix(".identity")


def read_identity(bus: ServoChain) -> Identity:
    """Ask a connected arm who it is."""
    motors = {name: f"{motor.model} {bus.firmware_of(name)}" for name, motor in bus.motors.items()}
    return Identity(_adapter(bus.port), motors)


def save_identity(path: Path, identity: Identity) -> None:
    """Write an identity; where that is not possible it is not known next time, which is no reason to stop."""
    try:
        path.write_text(json.dumps(asdict(identity), indent=4), encoding="utf-8")
    except OSError as error:
        log.warning("The identity of the arm could not be written to %s: %s", path, error.strerror)


def load_identity(path: Path) -> Identity | None:
    """Read an identity; None if there is none that can be read."""
    try:
        content = read_json(path)
        return Identity(str(content["adapter"]), {str(name): str(text) for name, text in content["motors"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def why_it_differs(bus: ServoChain, calibration_file: Path, known: Iterable[Path]) -> str:
    """Say in one sentence why a connected arm does not hold the calibration of its file.

    Args:
        bus: the connected arm, with the calibration of the file in use.
        calibration_file: the file.
        known: calibration files of all arms.

    Returns:
        The most likely cause.
    """
    held = bus.read_calibration()
    if owner := _owner(held, known):
        return f"another arm is plugged in: its motors hold the calibration of {owner}, not that of {calibration_file}."
    present, recorded = read_identity(bus), load_identity(identity_path(calibration_file))
    if recorded and recorded.adapter and present.adapter and recorded.adapter != present.adapter:
        return (
            f"another arm may be plugged in: {calibration_file} was made with USB adapter {recorded.adapter}, "
            f"this one is {present.adapter}."
        )
    different = [name for name, entry in held.items() if _values(entry) != _values(bus.calibration.get(name))]
    new = [name for name in different if held[name].homing_offset == 0]
    replaced = [name for name in different if recorded and recorded.motors.get(name, "") != present.motors[name]]
    if replaced:
        changes = ", ".join(f"{name} was {recorded.motors.get(name)}, is {present.motors[name]}" for name in replaced)  # type: ignore[union-attr] # only what is recorded was replaced
        return f"motors were replaced since {calibration_file} was made: {changes}."
    if new:
        return f"new or reset motors, without the calibration of {calibration_file}: {', '.join(new)}."
    return f"the motors hold other values than {calibration_file}: {', '.join(different)}. Is it another arm?"


def _owner(held: Mapping[str, MotorCalibration], known: Iterable[Path]) -> Path | None:
    """The first file whose calibration motors hold."""
    wanted = {name: _values(entry) for name, entry in held.items()}
    for path in known:
        try:
            found = load_calibration(path)
        except CalibrationError:
            continue
        if {name: _values(entry) for name, entry in found.items()} == wanted:
            return path
    return None


def _values(entry: MotorCalibration | None) -> tuple[int, int, int] | None:
    """What a motor holds of a calibration; the drive mode is not among it."""
    return None if entry is None else (entry.homing_offset, entry.range_min, entry.range_max)


def _adapter(port: str) -> str:
    # macOS lists the twin of the device people use.
    device = Path(port.replace("/dev/tty.", "/dev/cu.")).resolve()
    for found in list_ports.comports():
        if found.serial_number and Path(found.device).resolve() == device:
            return f"{found.vid or 0:04x}:{found.pid or 0:04x} {found.serial_number}"
    return ""
