"""Statistics of every feature: of one episode, and of a whole dataset that grows by episodes."""

import copy
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from lerobot.datasets.format.features import NUMERIC_DTYPES, Feature
from lerobot.datasets.format.stats_json import QUANTILES, STAT_KEYS, FeatureStats, Stats
from lerobot.datasets.statistics.running import FloatArray, RunningStatistics


def has_numbers(feature: Feature) -> bool:
    """Whether a feature's statistics come from its column, without looking at images."""
    return feature["dtype"] in NUMERIC_DTYPES


def as_samples(values: npt.NDArray[np.generic]) -> FloatArray:
    """A column `(n, *shape)` as samples `(m, D)`: the last axis stays, all others count as samples."""
    width = values.shape[-1] if values.ndim > 1 else 1
    return values.reshape(-1, width).astype(np.float64)


def column_statistics(values: npt.NDArray[np.generic]) -> FeatureStats:
    """Statistics of one numeric column.

    Args:
        values: (n,) or (n, *shape), n >= 1, finite; booleans count as 0 and 1.

    Returns:
        `min max mean std q01 q10 q50 q90 q99` of shape (D,), `count` [n].
    """
    samples = as_samples(values)
    low, high = samples.min(axis=0), samples.max(axis=0)
    if np.array_equal(low, high):
        # Most of an episode's own numbers, such as its index, are the same in every row: no histogram is needed.
        same = {name: low.copy() for name in ("min", "max", "mean", *QUANTILES)}
        stats = same | {"std": np.zeros_like(low), "count": np.array([len(values)], np.int64)}
        return {name: stats[name] for name in STAT_KEYS}
    return RunningStatistics.of(samples).summary(len(values))


class DatasetStatistics:
    """Statistics of a dataset, kept up to date episode by episode at a cost that does not grow.

    Counts, means, deviations and extremes are exact. Quantiles of numbers are those of the values, of images those of
    the episodes' quantiles; see `RunningStatistics` for the bounds.

    Args:
        episodes: statistics of the episodes that are already there, in any order.
    """

    def __init__(self, episodes: Iterable[Stats] = ()) -> None:
        self._features: dict[str, RunningStatistics] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._counts: dict[str, int] = {}
        for stats in episodes:
            self.add_episode(stats, {})

    def add_episode(self, stats: Stats, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Add one episode.

        Args:
            stats: its statistics by feature.
            columns: its numeric columns `(n, *shape)`; features without one are added by their statistics.
        """
        for key, feature in stats.items():
            if key not in self._features:
                self._features[key] = RunningStatistics(feature["min"].ravel(), feature["max"].ravel())
                self._shapes[key] = feature["mean"].shape
                self._counts[key] = 0
            if key in columns:
                self._features[key].update(as_samples(columns[key]))
            else:
                self._features[key].merge(feature)
            self._counts[key] += int(feature["count"][0])

    def copy(self) -> "DatasetStatistics":
        """The same statistics, independent of what is added to either."""
        return copy.deepcopy(self)

    def summary(self) -> Stats:
        """Statistics of everything added, in the shapes they came in."""
        result: Stats = {}
        for key, running in self._features.items():
            summary = running.summary(self._counts[key])
            shape = self._shapes[key]
            result[key] = {name: value if name == "count" else value.reshape(shape) for name, value in summary.items()}
        return result
