"""Which messages of a stream belong to which frames, by their times alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot.mcap.contract import Policy

Times = NDArray[np.int64]
"""Nanoseconds since 1970, rising."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The messages of n frames.

    Attributes:
        first: `(n,)` number of each frame's message; of the earlier neighbour for linear.
        second: `(n,)` number of the later neighbour; the same as `first` where there is no line.
        weight: `(n,)` how far a frame is from the first to the second, 0 to 1.
        found: `(n,)` whether there is a message within the tolerance; where not, the numbers mean nothing.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    weight: NDArray[np.float64]
    found: NDArray[np.bool_]


def align(policy: Policy, stamps: Times, frames: Times, tolerance_ms: float) -> Aligned:
    """Find the messages of frames.

    `hold` takes the last message until the frame; `nearest` the one at the smallest distance, of two the earlier one;
    `linear` the two neighbours, and never goes beyond the first or the last message. The tolerance is the largest
    distance of the message from the frame, for linear of the neighbours from each other; a distance that equals it is
    within.

    Args:
        policy: see above.
        stamps: `(m,)` times of the messages, each later than the one before; m > 0.
        frames: `(n,)` times of the frames.
        tolerance_ms: milliseconds; may be infinite.
    """
    # In whole nanoseconds, so that 33.4 ms means what it says.
    tolerance = np.inf if np.isinf(tolerance_ms) else np.rint(tolerance_ms * 1e6)
    last = len(stamps) - 1
    before = np.searchsorted(stamps, frames, "right") - 1
    earlier, later = np.clip(before, 0, last), np.clip(before + 1, 0, last)
    if policy == "linear":
        exact = stamps[earlier] == frames
        second = np.where(exact, earlier, later)
        span = stamps[second] - stamps[earlier]
        weight = (frames - stamps[earlier]) / np.maximum(span, 1)
        found = (before >= 0) & (exact | (before < last)) & (span <= tolerance)
        return Aligned(earlier, second, np.where(found, weight, 0.0), found)
    if policy == "nearest":
        chosen = np.where(np.abs(stamps[later] - frames) < np.abs(stamps[earlier] - frames), later, earlier)
        found = np.abs(stamps[chosen] - frames) <= tolerance
    else:
        chosen = earlier
        found = (before >= 0) & (frames - stamps[earlier] <= tolerance)
    return Aligned(chosen, chosen, np.zeros(len(frames)), found)


def grid(start: int, end: int, fps: float) -> Times:
    """Times of frames from `start` to before `end`, each rounded to a nanosecond, so that none drifts."""
    count = max(int(np.ceil((end - start) * fps / 1e9)), 0)
    times: Times = start + np.rint(np.arange(count + 1) * (1e9 / fps)).astype(np.int64)
    return times[times < end]


def runs(present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where values are true, as pairs of first and one after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], present.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
