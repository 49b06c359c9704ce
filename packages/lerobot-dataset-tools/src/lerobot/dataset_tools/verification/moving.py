"""Whether the robot moves between two images of an episode."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.statistics.recompute import read_columns

ACTION, STATE = "action", "observation.state"
_MOVING = 0.05
"""Part of its range that a joint has to move for the images to show it."""


@dataclass(frozen=True, slots=True)
class MovingParts:
    """What tells that the robot moves.

    Attributes:
        key: feature of numbers to look at; None where nothing tells.
        least: change of each element that counts.
    """

    key: str | None
    least: list[float]


def moving_parts(columns: Mapping[str, NDArray[np.float64]]) -> MovingParts:
    """What tells that the robot moves: its state, or else its action.

    Args:
        columns: those of the two that there are, `(frames, D)` of the whole dataset.
    """
    key = next((key for key in (STATE, ACTION) if key in columns), None)
    return MovingParts(key, [] if key is None else (_MOVING * np.ptp(columns[key], axis=0)).tolist())


class Motion:
    """Whether the robot moves between two frames of an episode; never, where nothing tells.

    Args:
        source: the dataset.
        parts: what tells.
    """

    def __init__(self, source: EditSource, parts: MovingParts) -> None:
        self._source = source
        self._parts = parts
        self._first, self._values = 0, np.zeros((0, 0))

    def __call__(self, episode: int, first: int, last: int) -> bool:
        """Whether it moves between two frames of an episode."""
        if self._parts.key is None:
            return False
        begin = int(self._source.episodes.column("dataset_from_index")[episode])
        if not self._first <= begin < self._first + len(self._values):
            file = next(file for file in self._source.files if file.start <= begin < file.stop)
            self._first, self._values = file.start, column(self._source, self._parts.key, file.first_episode)
        part = self._values[begin - self._first + first : begin - self._first + last + 1]
        return bool((np.ptp(part, axis=0) > self._parts.least).any())


def column(source: EditSource, key: str, first_episode: int | None = None) -> NDArray[np.float64]:
    """A column of numbers, `(frames, D)`.

    Args:
        source: the dataset.
        key: name of the feature.
        first_episode: only those of the data file that begins with this episode; of all files if None.
    """
    feature = source.info.features[key]
    files = [file for file in source.files if first_episode in {None, file.first_episode}]
    parts = [read_columns(file.path, {key: feature})[key][: file.rows] for file in files]
    return np.concatenate(parts).astype(np.float64).reshape(-1, feature["shape"][0])
