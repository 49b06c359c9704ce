"""CAN motors: Damiao and RobStride.

- `motor`, `drive`, `frame`: what a motor is, how it goes to a position, what it says
- `packing`, `protocol`: bit fields and frames that both makers share
- `damiao`, `robstride`: each maker's own frames, and a bus of its motors
- `channel`, `slcan`, `adapter`: what leads to the motors; `link`: frames on it; `statistics`: lost frames, bus load
- `exchange`, `bus`, `diagnosis`: questions and answers, and a bus as a device needs it
- `arms`: arms of CAN motors, single and in pairs
- `interfaces`: `lerobot setup-can`, and what `lerobot doctor` says
- `virtual`: motors without hardware

A bus is imported when it is first used, so a plugin's `config` may name motors without loading python-can.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lerobot.can.drive import Drive, ForcePosition, Impedance, PositionVelocity
from lerobot.can.frame import Frame, MotorState
from lerobot.can.motor import CanModel, CanMotor

if TYPE_CHECKING:
    from lerobot.can.channel import Channel
    from lerobot.can.damiao.bus import DamiaoMotorsBus
    from lerobot.can.robstride.bus import RobstrideMotorsBus

__all__ = [
    "CanModel",
    "CanMotor",
    "Channel",
    "DamiaoMotorsBus",
    "Drive",
    "ForcePosition",
    "Frame",
    "Impedance",
    "MotorState",
    "PositionVelocity",
    "RobstrideMotorsBus",
]

_LATE = {
    "Channel": "lerobot.can.channel",
    "DamiaoMotorsBus": "lerobot.can.damiao.bus",
    "RobstrideMotorsBus": "lerobot.can.robstride.bus",
}


def __getattr__(name: str) -> Any:
    """Import a bus when it is first asked for."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
