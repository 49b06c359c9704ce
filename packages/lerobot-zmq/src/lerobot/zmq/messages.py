"""The messages of huggingface/lerobot from a server of cameras: one frame of JSON, with JPEGs in base64.

`{"timestamps": {name: unix time in seconds}, "images": {name: JPEG}}` has the cameras that took a new picture since the
message before, which may be none. The first channel of a JPEG is where its file says blue: pictures are red first when
they are captured, and are written as if they were blue first. Whatever else comes is refused, and none of it believed.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import PictureEncoder, colour_jpeg, decoded

MAX_MESSAGE_BYTES = 64 * 2**20
"""A message of four cameras of 1920x1080 takes some 4 MiB."""


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture of one camera, as it is sent.

    Attributes:
        text: JPEG in base64.
        time_s: when it was taken, on the sender's clock in seconds; None if the sender does not say.
    """

    text: str
    time_s: float | None

    @classmethod
    def of(cls, image: NDArray[np.uint8], time_s: float, encoder: PictureEncoder) -> "SentPicture":
        """Compress a picture `(H, W, 3)` uint8, red first."""
        return cls(base64.b64encode(encoder(image[:, :, ::-1]).data).decode(), time_s)

    def image(self, color_mode: str = "rgb") -> NDArray[np.uint8]:
        """Uncompress it.

        Args:
            color_mode: `"rgb"` or `"bgr"`, the order of the channels.

        Returns:
            `(H, W, 3)` uint8.

        Raises:
            WireError: it is no colour JPEG in base64.
        """
        try:
            data = base64.b64decode(self.text, validate=True)
        except ValueError as error:
            raise WireError(f"a picture is no base64: {error}") from error
        as_written = decoded(colour_jpeg(data))
        return as_written if color_mode == "bgr" else np.ascontiguousarray(as_written[:, :, ::-1])


def encode_message(pictures: Mapping[str, SentPicture]) -> bytes:
    """Write a message."""
    times = {name: picture.time_s for name, picture in pictures.items()}
    return json.dumps({"timestamps": times, "images": {name: each.text for name, each in pictures.items()}}).encode()


def decode_message(frames: Sequence[bytes]) -> dict[str, SentPicture]:
    """Read a message.

    Args:
        frames: as they came; anything may come.

    Returns:
        The pictures in it by the name of their camera, not yet uncompressed; none is normal.

    Raises:
        WireError: it is no message; says what is wrong.
    """
    if len(frames) != 1:
        raise WireError(f"a message has {len(frames)} frames", expected="one")
    try:
        message = json.loads(frames[0])
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message is no JSON: {str(error)[:80]}") from error
    images, times = _mapping(message, "images"), _mapping(message, "timestamps", {})
    for name, text in images.items():
        if not isinstance(text, str):
            raise WireError(f"the picture of {name[:40]!r} is a {type(text).__name__}", expected="base64 in text")
    return {name: SentPicture(text, _time(times.get(name))) for name, text in images.items()}


def _mapping(message: Any, key: str, default: Any = None) -> dict[str, Any]:
    value = message.get(key, default) if isinstance(message, dict) else message
    if not isinstance(value, dict):
        raise WireError(f"{key} of a message is a {type(value).__name__}", expected="a JSON object")
    return value


def _time(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12 or math.isnan(value):
        raise WireError(f"a picture was taken at {str(value)[:40]}", expected="seconds since 1970")
    return float(value)
