"""Small images of an episode, as data that a page carries in itself."""

import base64
import io
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

WIDTH = 240
"""Pixels, so that three stand side by side."""


def thumbnail(image: NDArray[Any]) -> str:
    """An image as `data:` address of a small JPEG.

    Args:
        image: `(H, W, 3)` or `(H, W, 1)`; depth is shown from its nearest to its farthest.
    """
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(image)).decode()}"


def jpeg(image: NDArray[Any]) -> bytes:
    """An image as a small JPEG file, `WIDTH` pixels wide; see `thumbnail`."""
    picture = picture_of(image)
    height = max(round(WIDTH * picture.height / picture.width), 1)
    buffer = io.BytesIO()
    picture.resize((WIDTH, height)).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def picture_of(image: NDArray[Any]) -> PIL.Image.Image:
    """An image to look at, in colour.

    Args:
        image: `(H, W, 3)` or `(H, W, 1)`; depth is shown from its nearest to its farthest.
    """
    shown = image if image.dtype == np.uint8 else _to_bytes(image)
    return PIL.Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown).convert("RGB")


def _to_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    values = image.astype(np.float64)
    low, high = values.min(), values.max()
    shown: NDArray[np.uint8] = ((values - low) / ((high - low) or 1) * 255).astype(np.uint8)
    return shown
