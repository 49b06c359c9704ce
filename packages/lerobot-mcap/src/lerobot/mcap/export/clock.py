"""When the messages of an exported episode were measured: as the dataset knows it, else evenly."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.datasets.format.extra_columns import capture_time_key
from lerobot.mcap.stamps import stamp_key

BETWEEN_EPISODES_NS = 1_000_000_000
"""Pause where nobody knows when an episode was recorded."""

Stamps = NDArray[np.int64]


class EpisodeClock:
    """Times of an episode's messages.

    Args:
        columns: the episode's numbers by column, `(n, ...)`.
        length: its frames.
        fps: frames per second.
        begin: when it begins if it does not know it, nanoseconds since 1970.

    Attributes:
        frames: `(n,)` time of each frame, nanoseconds since 1970.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], length: int, fps: float, begin: int) -> None:
        self._columns = columns
        start = self._known_begin()
        start = begin if start is None else start
        self.frames: Stamps = start + np.rint(np.arange(length) * (1e9 / fps)).astype(np.int64)

    def stamps(self, feature: str) -> Stamps:
        """Time of a feature's message in each frame; of the newest, where it is made of several."""
        if stamp_key(feature) in self._columns:
            stamps: Stamps = self._columns[stamp_key(feature)].reshape(len(self.frames), -1).max(axis=1)
            return stamps
        if capture_time_key(feature) in self._columns:
            seconds = self._columns[capture_time_key(feature)].reshape(-1).astype(np.float64)
            captured: Stamps = self.frames[0] + np.rint(seconds * 1e9).astype(np.int64)
            return captured
        return self.frames

    @property
    def end(self) -> int:
        """When the episode has ended: one frame after its last."""
        step = int(self.frames[-1] - self.frames[-2]) if len(self.frames) > 1 else BETWEEN_EPISODES_NS
        return int(self.frames[-1]) + step

    def _known_begin(self) -> int | None:
        """When the first frame was: a stamp less its time in the episode, where a dataset has both."""
        for key, values in self._columns.items():
            feature = key.removeprefix(stamp_key(""))
            captured = self._columns.get(capture_time_key(feature))
            if feature != key and captured is not None:
                oldest = int(values.reshape(len(values), -1)[0].min())
                return oldest - round(float(captured.reshape(-1)[0]) * 1e9)
        return None
