"""What of a scene policies are shown, in the form of LIBERO's datasets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_SINE = 1e-10
"""Below it a turn is none, and has no axis."""


def rotated(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a picture `(H, W, 3)` as OpenGL draws it, lowest row first, by 180 degrees."""
    return np.ascontiguousarray(picture[::-1, ::-1])


def axis_angle(quaternion: NDArray[Any]) -> NDArray[np.float64]:
    """A turn as its axis times its angle in rad, `(3,)`.

    Args:
        quaternion: x, y, z, w; of length 1.
    """
    w = float(np.clip(quaternion[3], -1.0, 1.0))
    sine = np.sqrt(1.0 - w * w)
    if sine < SMALLEST_SINE:
        return np.zeros(3)
    scaled: NDArray[np.float64] = np.asarray(quaternion[:3], np.float64) * 2.0 * np.arccos(w) / sine
    return scaled


def state_vector(place: NDArray[Any], quaternion: NDArray[Any], fingers: NDArray[Any]) -> NDArray[np.float32]:
    """The state policies know, `(8,)` float32.

    Args:
        place: of the hand, x, y, z in m.
        quaternion: the hand's turn, x, y, z, w.
        fingers: the places of both in m.
    """
    return np.concatenate([place, axis_angle(quaternion), fingers]).astype(np.float32)
