"""The messages of huggingface/lerobot between the two ends of a LeKiwi: JSON and JPEG in frames of ZeroMQ.

A command is one frame: a JSON object of numbers. An observation is a JSON object with the state and, under `_cams`, the
names of the cameras, then one frame per camera: a JPEG whose red and blue are swapped, or nothing. Whatever else comes
is refused; nothing of it is believed.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lerobot.lekiwi.keys import STATE_KEYS
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import Picture, PictureEncoder, decoded

CAMERAS_KEY = "_cams"
ENCODER = PictureEncoder("jpeg", 90)

MAX_COMMAND_BYTES = 65_536
"""A command takes some 300 bytes."""


def encode_command(action: Mapping[str, Any]) -> bytes:
    """Write a command."""
    return json.dumps({key: float(value) for key, value in action.items()}).encode()


def decode_command(frame: bytes) -> dict[str, float]:
    """Read a command.

    Args:
        frame: the bytes; anything may come.

    Returns:
        The finite numbers in it whose keys are a LeKiwi's.

    Raises:
        WireError: it is no JSON object, or none of it is such a number.
    """
    command = {
        key: float(value)
        for key, value in _object(frame, "a command").items()
        if key in STATE_KEYS and _is_finite(value)
    }
    if not command:
        raise WireError("a command says nothing to this robot", expected=f"numbers for {', '.join(STATE_KEYS)}")
    return command


def encode_observation(observation: Mapping[str, Any], cameras: Sequence[str]) -> list[bytes]:
    """Write an observation: its state, and the pictures of these cameras."""
    header = {CAMERAS_KEY: list(cameras), **{key: float(observation[key]) for key in STATE_KEYS}}
    return [json.dumps(header).encode(), *(ENCODER(observation[name][:, :, ::-1]).data for name in cameras)]


def decode_observation(frames: Sequence[bytes], cameras: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Read an observation.

    Args:
        frames: as they came; anything may come.
        cameras: shape `(H, W, 3)` of the pictures that are wanted, by camera.

    Returns:
        A float per entry of `STATE_KEYS`, and a picture per camera.

    Raises:
        WireError: it is none, or a wanted part of it is missing or unreadable; names it.
    """
    header = _object(frames[0] if frames else b"", "an observation")
    names = header.get(CAMERAS_KEY)
    if not isinstance(names, list) or len(names) != len(frames) - 1:
        raise WireError(f"an observation has {len(frames) - 1} pictures for the cameras {str(names)[:80]}")
    values: dict[str, Any] = {}
    for key in STATE_KEYS:
        if not _is_finite(header.get(key)):
            raise WireError(f"an observation has {key}={str(header.get(key))[:40]}", expected="a number")
        values[key] = float(header[key])
    pictures = dict(zip(map(str, names), frames[1:], strict=True))
    for name, shape in cameras.items():
        if name not in pictures:
            raise WireError(f"there is no camera {name!r} at the host", expected=f"one of {', '.join(pictures)}")
        values[name] = decoded(Picture("jpeg", pictures[name], "uint8", shape))[:, :, ::-1].copy()
    return values


def _object(frame: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise WireError(f"{what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise WireError(f"{what} is a {type(value).__name__}", expected="a JSON object")
    return value


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False
