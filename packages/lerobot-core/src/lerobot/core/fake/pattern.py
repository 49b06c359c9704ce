"""The picture of the fake camera: colour gradients, the frame number in digits, and the same number as a bar code.

The bar code survives lossy video: a test can ask a decoded picture which frame it was.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

BITS = 16
"""Bars of the code, most significant first; numbers wrap at `2**BITS`."""

_FONT = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 1, 1),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
}
"""Three pixels by five per digit; each number is one row, its bits are the pixels."""


class FramePattern:
    """Draws the picture of a frame.

    Args:
        width: picture width in pixels, at least 32.
        height: picture height in pixels, at least 32.
    """

    def __init__(self, width: int, height: int) -> None:
        self._base: Image = np.empty((height, width, 3), np.uint8)
        self._base[..., 0] = np.linspace(0, 255, width).astype(np.uint8)[None, :]
        self._base[..., 1] = np.linspace(0, 255, height).astype(np.uint8)[:, None]
        self._base[..., 2] = 128

    def draw(self, number: int) -> Image:
        """Draw frame `number`.

        Returns:
            `(H, W, 3)` uint8 RGB, a new array each time.
        """
        picture = self._base.copy()
        height, width, _ = picture.shape
        for bit in range(BITS):
            white = number >> (BITS - 1 - bit) & 1
            picture[: height // 8, bit * width // BITS : (bit + 1) * width // BITS] = 255 * white
        text = _text(number)
        scale = max(1, min(height // 2 // text.shape[0], width * 3 // 4 // text.shape[1]))
        digits = text.repeat(scale, axis=0).repeat(scale, axis=1)[: height - height // 4, :width]
        picture[height // 4 : height // 4 + digits.shape[0], : digits.shape[1]][digits] = 255
        return picture


def read_frame_number(picture: Any) -> int:
    """Read the bar code.

    Args:
        picture: `(H, W, 3)` uint8, also after lossy compression.

    Returns:
        Number of the frame, modulo `2**BITS`.
    """
    strip = np.asarray(picture)[: picture.shape[0] // 8].mean(axis=(0, 2))
    width = strip.shape[0]
    number = 0
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        number = number << 1 | int(strip[left:right].mean() > 127)
    return number


def _text(number: int) -> npt.NDArray[np.bool_]:
    """The digits as a mask of five rows, each digit followed by one empty column."""
    columns = (2, 1, 0, 3)  # bit 3 of a row is never set: the gap
    rows = [[_FONT[digit][line] >> bit & 1 for digit in str(number) for bit in columns] for line in range(5)]
    return np.array(rows, bool)
