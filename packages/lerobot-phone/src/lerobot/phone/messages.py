"""What a page says: JSON texts, as the page of the package `teleop` says them, so that its page can be used too.

`{"type": "pose", "data": {...}}` has a pose in WebXR's frame and what is touched; our page adds `time`, seconds on the
phone's clock. `{"type": "lost"}`, of our page alone, says that the phone does not know where it is. Whatever else comes
is refused; nothing of it is believed.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lerobot.phone.rotations import Vector
from lerobot.remote.wire.errors import WireError

MAX_MESSAGE_BYTES = 4096
"""A message takes some 300 bytes."""
FARTHEST_M = 100.0
BUTTONS = ("reservedButtonA", "reservedButtonB")


@dataclass(frozen=True, slots=True)
class PoseMessage:
    """A pose and what is touched.

    Attributes:
        position: `(3,)` metres; x to the right, y up, z back.
        quaternion: `(4,)` x, y, z, w; of some length.
        move: whether the person holds the clutch.
        scale: factor on the motion, 0 to 10.
        buttons: whether each of `BUTTONS` is pressed.
        time_s: when the pose was measured, on the phone's clock; None if it does not say.
    """

    position: Vector
    quaternion: Vector
    move: bool
    scale: float
    buttons: dict[str, bool]
    time_s: float | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The phone does not know where it is."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the page tells whoever looks for faults."""

    text: str


def decode(text: str | bytes) -> PoseMessage | Lost | Remark:
    """Read a message.

    Args:
        text: anything may come.

    Raises:
        WireError: it is none; says what is wrong.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message is no JSON: {str(error)[:80]}") from error
    kind = message.get("type") if isinstance(message, dict) else None
    if kind == "lost":
        return Lost()
    data = message.get("data") if isinstance(message, dict) else None
    if kind == "log":
        return Remark(str(data)[:200])
    if kind != "pose" or not isinstance(data, dict):
        raise WireError(f"a message has the type {str(kind)[:40]!r}", expected="pose, lost or log")
    quaternion = _vector(data, "orientation", "xyzw")
    if not 0.5 < np.linalg.norm(quaternion) < 2:
        raise WireError(f"an orientation is {quaternion.tolist()}", expected="a quaternion of length 1")
    scale = _number(data.get("scale", 1.0), "scale")
    if not 0 <= scale <= 10:
        raise WireError(f"a scale is {scale:g}", expected="0 to 10")
    return PoseMessage(
        _vector(data, "position", "xyz"),
        quaternion,
        data.get("move") is True,
        scale,
        {name: data.get(name) is True for name in BUTTONS},
        None if data.get("time") is None else _number(data["time"], "time"),
    )


def _vector(data: dict[str, Any], key: str, axes: str) -> Vector:
    given = data.get(key)
    if not isinstance(given, dict):
        raise WireError(f"the {key} is a {type(given).__name__}", expected=f"an object with {', '.join(axes)}")
    vector = np.array([_number(given.get(axis), f"{key}.{axis}") for axis in axes])
    if np.abs(vector).max() > FARTHEST_M:
        raise WireError(f"the {key} is {vector.tolist()}", expected=f"at most {FARTHEST_M:g}")
    return vector


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12 or math.isnan(value):
        raise WireError(f"{what} is {str(value)[:40]}", expected="a number")
    return float(value)
