"""The messages between a G1's bridge and whoever drives it: JSON, one object per message.

A state is `{"topic": "rt/lowstate", "data": {...}}`, a command the same with `rt/lowcmd`. Whatever else comes is
refused; nothing of it is believed.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lerobot.remote.wire.errors import WireError
from lerobot.unitree_g1.joints import JOINTS, MOTORS

STATE_TOPIC, COMMAND_TOPIC = "rt/lowstate", "rt/lowcmd"
MAX_BYTES = 65_536
"""A state takes some 2500 bytes, a command as many."""
REMOTE_BYTES = 40


@dataclass(frozen=True, slots=True)
class State:
    """What the robot measures.

    Attributes:
        values: by the keys of `joints.POSITIONS` and `joints.MEASURED`.
        mode_machine: which kind of G1 it is; a command has to name the same.
        remote: what the remote control sends, 40 bytes; empty if there is none.
    """

    values: Mapping[str, float]
    mode_machine: int
    remote: bytes


@dataclass(frozen=True, slots=True)
class MotorCommand:
    """What a motor is told: torque = `kp` (`q` - position) - `kd` velocity.

    Attributes:
        q: position, radians.
        kp: stiffness, N m per radian.
        kd: damping, N m per radian and second.
    """

    q: float
    kp: float
    kd: float


def encode_command(mode_machine: int, motors: Sequence[MotorCommand]) -> bytes:
    """Write a command for the motors of all joints; the motors that are not there stay off."""
    told = [{"mode": 1, "q": each.q, "dq": 0.0, "kp": each.kp, "kd": each.kd, "tau": 0.0} for each in motors]
    off = {"mode": 0, "q": 0.0, "dq": 0.0, "kp": 0.0, "kd": 0.0, "tau": 0.0}
    data = {"mode_pr": 0, "mode_machine": mode_machine, "motor_cmd": [*told, *[off] * (MOTORS - len(motors))]}
    return json.dumps({"topic": COMMAND_TOPIC, "data": data}).encode()


def decode_state(message: bytes) -> State:
    """Read a state.

    Args:
        message: the bytes; anything may come.

    Raises:
        WireError: it is none, or a part of it is missing or no number; names it.
    """
    data = _data(message, STATE_TOPIC)
    motors = data.get("motor_state")
    if not isinstance(motors, list) or len(motors) < len(JOINTS):
        raise WireError(f"a state has {_size(motors)} motors", expected=f"at least {len(JOINTS)}")
    imu = data.get("imu_state")
    if not isinstance(imu, dict):
        raise WireError("a state has no imu_state", expected="an object")
    values: dict[str, float] = {}
    for joint, motor in zip(JOINTS, motors, strict=False):
        if not isinstance(motor, dict):
            raise WireError(f"a state has {str(motor)[:40]} for {joint.name}", expected="an object")
        values[joint.key] = _number(motor.get("q"), joint.key)
        values[f"{joint.name}.dq"] = _number(motor.get("dq"), f"{joint.name}.dq")
        values[f"{joint.name}.tau"] = _number(motor.get("tau_est"), f"{joint.name}.tau")
    values |= _vector(imu, "gyroscope", "imu.gyro", "xyz")
    values |= _vector(imu, "accelerometer", "imu.accel", "xyz")
    values |= _vector(imu, "quaternion", "imu.quat", "wxyz")
    values |= _vector(imu, "rpy", "imu.rpy", ("roll", "pitch", "yaw"))
    mode = data.get("mode_machine")
    if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= 255:
        raise WireError(f"a state has mode_machine={str(mode)[:20]}", expected="an integer from 0 to 255")
    return State(values, mode, _remote(data.get("wireless_remote", "")))


def decode_command(message: bytes) -> tuple[int, list[MotorCommand]]:
    """Read a command, as the bridge does: which kind of G1 it is for, and what every joint is told.

    Raises:
        WireError: it is none; says why.
    """
    data = _data(message, COMMAND_TOPIC)
    motors = data.get("motor_cmd")
    if not isinstance(motors, list) or len(motors) != MOTORS or not all(isinstance(each, dict) for each in motors):
        raise WireError(f"a command has {_size(motors)} motors", expected=f"{MOTORS} objects")
    told = [
        MotorCommand(*(_number(motor.get(field), f"{field} of {joint.name}") for field in ("q", "kp", "kd")))
        for joint, motor in zip(JOINTS, motors, strict=False)
    ]
    return int(_number(data.get("mode_machine"), "mode_machine")), told


def _data(message: bytes, topic: str) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message is no JSON: {error}") from error
    if not isinstance(value, dict) or value.get("topic") != topic or not isinstance(value.get("data"), dict):
        raise WireError(f"a message is {str(value)[:60]}", expected=f"an object with the topic {topic} and data")
    data: dict[str, Any] = value["data"]
    return data


def _size(value: Any) -> str:
    return str(len(value)) if isinstance(value, list) else "no"


def _number(value: Any, what: str) -> float:
    if not isinstance(value, bool) and isinstance(value, int | float):
        try:
            if math.isfinite(value):
                return float(value)
        except OverflowError:  # an integer beyond every float
            pass
    raise WireError(f"{what} is {str(value)[:40]}", expected="a finite number")


def _vector(imu: Mapping[str, Any], field: str, prefix: str, names: Sequence[str]) -> dict[str, float]:
    values = imu.get(field)
    if not isinstance(values, list) or len(values) != len(names):
        raise WireError(f"{field} is {str(values)[:40]}", expected=f"{len(names)} numbers")
    return {f"{prefix}.{name}": _number(value, f"{prefix}.{name}") for name, value in zip(names, values, strict=True)}


def _remote(text: Any) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise WireError(f"wireless_remote is {str(text)[:40]!r}", expected="bytes in base64") from error
    if len(data) not in (0, REMOTE_BYTES):
        raise WireError(f"wireless_remote has {len(data)} bytes", expected=f"{REMOTE_BYTES}")
    return data
