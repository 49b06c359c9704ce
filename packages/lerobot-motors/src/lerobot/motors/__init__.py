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

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lerobot.core.deprecation import keep_moved_modules, moved_names
from lerobot.core.protocols.ability import MotorHealth
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
    "MotorHealth",
    "MotorNormMode",
    "MotorValueError",
    "MotorsBus",
    "SerialMotorsBus",
    "find_calibration",
    "load_calibration",
    "save_calibration",
]

keep_moved_modules(
    __name__,
    {
        "calibrate": "lerobot.motors.serial.sweep",
        "diagnosis": "lerobot.motors.serial.diagnosis",
        "dynamixel": "lerobot.dynamixel",
        "dynamixel.bus": "lerobot.dynamixel.bus",
        "dynamixel.tables": "lerobot.dynamixel.tables",
        "feetech": "lerobot.feetech",
        "feetech.bus": "lerobot.feetech.bus",
        "feetech.tables": "lerobot.feetech.tables",
        "identity": "lerobot.motors.serial.identity",
        "link": "lerobot.motors.serial.link",
        "port": "lerobot.motors.serial.port",
        "registers": "lerobot.motors.serial.registers",
        "setup": "lerobot.motors.serial.setup",
        "statistics": "lerobot.motors.serial.statistics",
        "wire": "lerobot.motors.serial.wire",
    },
)
_moved_name = moved_names(
    __name__, {"DynamixelMotorsBus": "lerobot.dynamixel", "FeetechMotorsBus": "lerobot.feetech"}, stacklevel=3
)


def __getattr__(name: str) -> Any:
    """Import the bus of a serial line when it is first asked for."""
    if name == "SerialMotorsBus":
        return import_module("lerobot.motors.serial.bus").SerialMotorsBus
    return _moved_name(name)
