"""Motor buses, calibration and virtual servos.

- `motor`: what a motor and its calibration are
- `calibration_file`, `calibrate`: calibration files, and finding a calibration by sweeping the joints
- `identity`: which arm a calibration belongs to
- `normalization`, `encoding`: arithmetic between register contents, encoder steps and user units
- `bus`: the bus every protocol shares, on `registers` (names and units), `link` (retries, statistics), `wire`, `port`
- `setup`: finding and renumbering motors; `diagnosis`: what is wrong with a line, and where
- `feetech`, `dynamixel`: the two protocols, on the vendors' SDKs
- `virtual`: servos that answer real packets on a pseudo-terminal

The buses are imported when they are first used, so a plugin's `config` may name motors without loading an SDK.
"""

from typing import TYPE_CHECKING, Any

from lerobot.motors.calibration_file import find_calibration, load_calibration, save_calibration
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.motor import Motor, MotorCalibration, MotorNormMode

if TYPE_CHECKING:
    from lerobot.motors.bus import SerialMotorsBus
    from lerobot.motors.dynamixel import DynamixelMotorsBus
    from lerobot.motors.feetech import FeetechMotorsBus

__all__ = [
    "DynamixelMotorsBus",
    "FeetechMotorsBus",
    "Motor",
    "MotorCalibration",
    "MotorError",
    "MotorNormMode",
    "MotorValueError",
    "SerialMotorsBus",
    "find_calibration",
    "load_calibration",
    "save_calibration",
]

_LATE = {
    "DynamixelMotorsBus": "lerobot.motors.dynamixel",
    "FeetechMotorsBus": "lerobot.motors.feetech",
    "SerialMotorsBus": "lerobot.motors.bus",
}


def __getattr__(name: str) -> Any:
    """Import a bus when it is first asked for."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)
