"""What the SDK says, as an observation has it; whatever else comes is refused."""

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lerobot.earthrover.keys import HEIGHT, ROWS, SCALARS, WIDTH
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import UNREADABLE

FORMATS = ("jpeg", "png", "webp")
"""What the SDK's IMAGE_FORMAT may be."""
MAX_PIXELS = 10_000_000


def decode_telemetry(answer: Mapping[str, Any]) -> dict[str, float]:
    """Read the answer of `/data`.

    What the rover does not tell is 0, as in recordings of huggingface/lerobot; `untold` names it.

    Returns:
        A finite number for each of `STATE_KEYS`.

    Raises:
        WireError: it has none of the values, or one that is no finite number; names it.
    """
    if not answer.keys() & {*SCALARS.values(), *ROWS}:
        raise WireError("/data has no telemetry in it: the rover has told nothing yet")
    values = {key: _number(answer.get(name), name) for key, name in SCALARS.items()}
    for name, keys in ROWS.items():
        row = _last_row(answer.get(name), name, len(keys))
        values.update(zip(keys, row, strict=True))
    return values


def untold(answer: Mapping[str, Any]) -> list[str]:
    """Names of what an answer of `/data` lacks."""
    return [name for name in (*SCALARS.values(), *ROWS) if answer.get(name) in (None, [])]


def decode_image(answer: Mapping[str, Any], view: str) -> NDArray[np.uint8]:
    """Read the answer of `/v2/front` or `/v2/rear`.

    Returns:
        RGB `(480, 640, 3)`.

    Raises:
        WireError: there is no image in it that can be read.
    """
    text = answer.get(f"{view}_frame")
    if not isinstance(text, str):
        raise WireError(f"/v2/{view} has no {view}_frame", expected="an image in base64")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise WireError(
                    f"an image of /v2/{view} is {image.width}x{image.height}", expected=f"at most {MAX_PIXELS} pixels"
                )
            pixels = np.asarray(image.convert("RGB"))
    except WireError:
        raise
    except UNREADABLE as error:
        raise WireError(f"an image of /v2/{view} cannot be read: {error}") from error
    # Linear, and without a filter against aliasing, because recordings of huggingface/lerobot are made so.
    resized = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def encode_command(linear: float, angular: float, lamp: int) -> dict[str, Any]:
    """Write the body of a `/control`."""
    return {"command": {"linear": linear, "angular": angular, "lamp": lamp}}


def _last_row(rows: Any, name: str, width: int) -> list[float]:
    if rows in (None, []):
        return [0.0] * width
    row = rows[-1] if isinstance(rows, list) else None
    if not isinstance(row, list) or len(row) < width:
        raise WireError(f"/data has {name}={str(rows)[:40]}", expected=f"rows of {width} numbers and a time")
    return [_number(value, name) for value in row[:width]]


def _number(value: Any, name: str) -> float:
    if value is None:
        return 0.0
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:  # an integer beyond every float
        number = math.inf
    if not math.isfinite(number):
        raise WireError(f"/data has {name}={str(value)[:40]}", expected="a finite number")
    return number
