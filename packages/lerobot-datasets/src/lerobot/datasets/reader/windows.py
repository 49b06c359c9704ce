"""Delta windows: which frames around a frame an item holds, and which of those lie outside its episode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.format.features import FeatureMap

Windows: TypeAlias = dict[str, NDArray[np.int64]]
"""Per feature the frames of its window, relative to the item's own."""


def parse_windows(
    delta_timestamps: Mapping[str, Sequence[float]] | None, features: FeatureMap, fps: float, tolerance_s: float
) -> Windows:
    """Turn time offsets into frame offsets.

    Args:
        delta_timestamps: per feature, seconds relative to the item's frame, in any order.
        features: declared features.
        fps: frames per second.
        tolerance_s: largest distance of an offset from a whole number of frames, in seconds.

    Raises:
        FeatureMismatchError: a feature does not exist, or an offset is no whole number of frames.
    """
    windows: Windows = {}
    for key, deltas in (delta_timestamps or {}).items():
        if key not in features:
            raise FeatureMismatchError(
                f"delta_timestamps names {key!r}, which is no feature", keys=[key], expected=", ".join(features)
            )
        frames = np.asarray(deltas, np.float64) * fps
        offsets = np.rint(frames)
        wrong = np.abs(frames - offsets) / fps > tolerance_s
        if frames.ndim != 1 or not frames.size or wrong.any():
            given = list(np.asarray(deltas)[wrong]) if frames.ndim == 1 and frames.size else deltas
            raise FeatureMismatchError(
                f"The following delta_timestamps are found outside of tolerance range: {key}: {given}",
                keys=[key],
                expected=f"multiples of 1/fps = {1 / fps:.6g} s, within {tolerance_s} s",
            )
        windows[key] = offsets.astype(np.int64)
    return windows


@dataclass(frozen=True, slots=True)
class WindowPositions:
    """Positions of a feature's window for a batch of frames.

    Attributes:
        positions: `(B, T)` dataset positions; those outside the episode are replaced by its first or last frame.
        is_pad: `(B, T)`, true where they were replaced.
    """

    positions: NDArray[np.int64]
    is_pad: NDArray[np.bool_]


def window_positions(
    positions: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64], offsets: NDArray[np.int64]
) -> WindowPositions:
    """Positions of a window around each frame.

    Args:
        positions: `(B,)` dataset positions.
        starts: `(B,)` first position of each one's episode.
        stops: `(B,)` position after the last one of each one's episode.
        offsets: `(T,)` frames relative to each position.
    """
    wanted = positions[:, None] + offsets
    clamped = np.clip(wanted, starts[:, None], stops[:, None] - 1)
    return WindowPositions(clamped, clamped != wanted)
