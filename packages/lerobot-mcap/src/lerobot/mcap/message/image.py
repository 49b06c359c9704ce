"""Images of ROS and Foxglove messages as arrays.

Source:
    sensor_msgs/Image, sensor_msgs/CompressedImage, image_encodings.h; REP 118 for depth
"""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.images import decode_image
from lerobot.mcap.message.path import fields_of

Image = npt.NDArray[Any]

_LAYOUTS: dict[str, tuple[str, int, list[int]]] = {
    "rgb8": ("u1", 3, [0, 1, 2]),
    "bgr8": ("u1", 3, [2, 1, 0]),
    "rgba8": ("u1", 4, [0, 1, 2]),
    "bgra8": ("u1", 4, [2, 1, 0]),
    "mono8": ("u1", 1, [0]),
    "8UC1": ("u1", 1, [0]),
    "16UC1": ("u2", 1, [0]),
    "32FC1": ("f4", 1, [0]),
}
"""Type of a channel, channels of the message, and those that are taken, as red, green, blue."""

_RAW = ("encoding", "height", "width", "step", "data")

_PNG_IN_DEPTH = 12
"""Bytes before the PNG of a compressedDepth message."""


def image_of(message: Any) -> Image:
    """The image of a message.

    Args:
        message: an Image or CompressedImage, of ROS or Foxglove.

    Returns:
        (H, W, 3) uint8 RGB, (H, W, 1) uint8 grey, (H, W, 1) uint16 depth in millimetres or float32 in metres. A pixel
        of depth that was not measured is 0 in both, as 16UC1 has it.

    Raises:
        ValueError: it is no image, of an unknown encoding, or damaged.
    """
    fields = fields_of(message)
    if set(_RAW) <= set(fields):
        big_endian = "is_bigendian" in fields and bool(message["is_bigendian"])
        return _raw(**{name: message[name] for name in _RAW}, big_endian=big_endian)
    if {"format", "data"} <= set(fields):
        return _compressed(str(message["format"]), bytes_of(message["data"]))
    raise ValueError(f"it has the fields {', '.join(fields) or 'none'}, which are no image's")


def _raw(encoding: str, height: int, width: int, step: int, data: Any, big_endian: bool) -> Image:
    if encoding not in _LAYOUTS:
        raise ValueError(f"its encoding is {encoding!r:.40}; these can be read: {', '.join(_LAYOUTS)}")
    letter, channels, taken = _LAYOUTS[encoding]
    dtype = np.dtype(letter).newbyteorder(">" if big_endian else "<")
    row = width * channels * dtype.itemsize
    content = bytes_of(data)
    if not height or not width or step < row or len(content) < step * (height - 1) + row:
        raise ValueError(f"it has {len(content)} bytes in rows of {step} for {width} x {height} pixels of {encoding}")
    whole = content if len(content) >= step * height else content + bytes(step * height - len(content))
    rows = np.frombuffer(whole, np.uint8, step * height).reshape(height, step)[:, :row]
    image = np.ascontiguousarray(rows).view(dtype).reshape(height, width, channels)[..., taken]
    image = image.astype(dtype.newbyteorder("="))
    return _measured(image) if letter == "f4" else image


def _measured(depth: Image) -> Image:
    """Depth in metres with 0 where nothing was measured: REP 118 writes NaN there, and infinity beyond the range."""
    return np.where(np.isfinite(depth), depth, np.float32(0))


def _compressed(kind: str, data: bytes) -> Image:
    if "compressedDepth" in kind:
        if not kind.startswith("16UC1") or "rvl" in kind:
            raise ValueError(f"its format is {kind!r:.60}; depth can be read as 16UC1 in PNG")
        data = data[_PNG_IN_DEPTH:]
    elif not any(name in kind.lower() for name in ("jpeg", "jpg", "png")):
        raise ValueError(f"its format is {kind!r:.60}; jpeg and png can be read")
    try:
        return decode_image(data, "its data")
    except DatasetError as error:
        raise ValueError(error.what) from error


def bytes_of(data: Any) -> bytes:
    """Bytes as each encoding gives them; JSON writes them in base 64."""
    return base64.b64decode(data, validate=True) if isinstance(data, str) else bytes(data)
