"""What motor buses of every protocol share.

- `bus`: what a device needs of its motors, whatever carries the bytes
- `motor`, `finding`, `errors`: what a motor and its calibration are, what can be wrong
- `normalization`, `encoding`: arithmetic between register contents, encoder steps and user units
- `calibration_file`: calibration files
- `serial`: servos on a serial line: registers, retries, sweeps, setting up, diagnosis
- `arms`: arms that follow and arms that lead, single and in pairs
- `virtual`: servos that answer real packets on a pseudo-terminal
- `legacy`: positions recorded with calibrations of lerobot 0.3 and older

Each protocol is a package of its own: `lerobot.feetech`, `lerobot.dynamixel`. The bus of a serial line is imported
when it is first used, so a plugin's `config` may name motors without loading pyserial.
"""

from typing import TYPE_CHECKING, Any

from lerobot.motors.bus import MotorsBus
from lerobot.motors.calibration_file import find_calibration, load_calibration, save_calibration
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.finding import Finding
from lerobot.motors.motor import Motor, MotorCalibration, MotorNormMode

if TYPE_CHECKING:
    from lerobot.motors.serial.bus import SerialMotorsBus

__all__ = [
    "Finding",
    "Motor",
    "MotorCalibration",
    "MotorError",
    "MotorNormMode",
    "MotorValueError",
    "MotorsBus",
    "SerialMotorsBus",
    "find_calibration",
    "load_calibration",
    "save_calibration",
]

_FORMER = {"DynamixelMotorsBus": "lerobot.dynamixel", "FeetechMotorsBus": "lerobot.feetech"}


def __getattr__(name: str) -> Any:
    """Import a bus when it is first asked for; those of a protocol under their former name too."""
    from importlib import import_module

    if name == "SerialMotorsBus":
        return import_module("lerobot.motors.serial.bus").SerialMotorsBus
    if name in _FORMER:
        from lerobot.motors.former import handed_on

        return handed_on(__name__, _FORMER[name], stacklevel=3)(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
