"""Statistics of vectors that arrive piece by piece: exact moments, and quantiles from one histogram per element.

Everything is float64. Moments are computed in two passes within a piece and pieces are joined by the pairwise formula,
so a large mean does not swallow a small deviation. The histogram has a fixed number of bins; when a value falls
outside, its range is doubled, which joins bins two by two and so moves no count to a wrong place however often.

Source:
    Chan, Golub, LeVeque 1983, "Algorithms for Computing the Sample Variance", eq. 2.1.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lerobot.datasets.format.stats_json import QUANTILES, FeatureStats

FloatArray: TypeAlias = npt.NDArray[np.float64]

BINS = 5000
"""Bins of a histogram, as many as the format's own method has: a quantile is known to 1/5000 of the range, to 4/5000
after the range had to grow. Vectors of more than 1,600 elements get fewer."""

_MAX_COUNTERS = 2**23


class RunningStatistics:
    """Statistics of all `(n, D)` values given so far.

    Args:
        low: (D,) smallest value expected; a first guess, the range grows with the values.
        high: (D,) largest value expected.
    """

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        # The margin keeps the extremes inside the outer bins, also where 1e-10 is below the resolution of the value.
        margin = np.maximum(1e-10, 4 * np.finfo(np.float64).eps * np.maximum(abs(low), abs(high)))
        self._low, self._high = low - margin, high + margin
        width = low.shape[0]
        # An even number, since growing joins bins in pairs.
        self._bins = max(16, min(BINS, _MAX_COUNTERS // width // 2 * 2))
        self._histogram = np.zeros((width, self._bins))
        self._weight = np.zeros(width)
        self._mean = np.zeros(width)
        self._squares = np.zeros(width)
        self._min = np.full(width, np.inf)
        self._max = np.full(width, -np.inf)
        self._has_quantiles = True

    @classmethod
    def of(cls, values: FloatArray) -> "RunningStatistics":
        """Statistics of one array `(n, D)`, n >= 1, with the histogram fitted to its range."""
        statistics = cls(values.min(axis=0), values.max(axis=0))
        statistics.update(values)
        return statistics

    def update(self, values: FloatArray, weights: FloatArray | None = None) -> None:
        """Add values.

        Args:
            values: (n, D) finite numbers.
            weights: (n, D) how often each value occurred; once each if None.
        """
        if weights is None:
            weights = np.ones_like(values)
        present = weights > 0
        low = np.where(present, values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(present, values, -np.inf).max(axis=0, initial=-np.inf)
        total = weights.sum(axis=0)
        mean = (values * weights).sum(axis=0) / np.maximum(total, 1)
        self._join(total, mean, (weights * (values - mean) ** 2).sum(axis=0), low, high)
        scaled = (values - self._low) / (self._high - self._low) * self._bins
        bins = np.clip(scaled, 0, self._bins - 1).astype(np.int64) + np.arange(values.shape[1]) * self._bins
        counts = np.bincount(bins.ravel(), weights.ravel(), self._histogram.size)
        self._histogram += counts.reshape(self._histogram.shape)

    def merge(self, statistics: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Add values of which only the statistics are known.

        Moments and extremes stay exact. The values are taken to be spread evenly between neighbouring quantiles; if
        there are none, the result has none either.

        Args:
            statistics: as `summary` returns them; `(D,)`, or any shape with D elements.
        """
        known = {key: np.asarray(value, np.float64).ravel() for key, value in statistics.items()}
        weight = np.broadcast_to(known["count"], self._weight.shape)
        self._join(weight, known["mean"], weight * known["std"] ** 2, known["min"], known["max"])
        if not self._has_quantiles or not QUANTILES.keys() <= known.keys():
            self._has_quantiles = False
            return
        shares = [0.0, *QUANTILES.values(), 1.0]
        knots = np.stack([known["min"], *(known[key] for key in QUANTILES), known["max"]])
        knots = np.maximum.accumulate(np.clip(knots, known["min"], known["max"]))
        for element, count in enumerate(weight):
            edges = self._edges(element)
            below = np.interp(edges, knots[:, element], shares, left=0.0, right=1.0)
            self._histogram[element] += count * np.diff(below)

    def summary(self, count: int | None = None) -> FeatureStats:
        """The statistics of everything added, at least one value.

        Args:
            count: what to report as `count`; the number of values per element if None.
        """
        result: FeatureStats = {
            "min": self._min.copy(),
            "max": self._max.copy(),
            "mean": self._mean.copy(),
            "std": np.sqrt(self._squares / self._weight),
            "count": np.array([round(self._weight[0]) if count is None else count], np.int64),
        }
        if self._has_quantiles:
            quantiles = np.array([self._quantiles(element) for element in range(len(self._mean))]).T
            result |= dict(zip(QUANTILES, np.clip(quantiles, self._min, self._max), strict=True))
        return result

    def _quantiles(self, element: int) -> FloatArray:
        """The values below which the shares of weight lie: linear within the first bin that reaches the share."""
        cumulative = np.cumsum(self._histogram[element])
        targets = np.array(list(QUANTILES.values())) * cumulative[-1]
        bins = np.searchsorted(cumulative, targets)
        before = np.where(bins > 0, cumulative[bins - 1], 0.0)
        part = np.where(bins > 0, (targets - before) / (cumulative[bins] - before), 0.0)
        width = (self._high[element] - self._low[element]) / self._bins
        result: FloatArray = self._low[element] + (bins + part) * width
        return result

    def _edges(self, element: int) -> FloatArray:
        return np.linspace(self._low[element], self._high[element], self._bins + 1)

    def _join(
        self, weight: FloatArray, mean: FloatArray, squares: FloatArray, low: FloatArray, high: FloatArray
    ) -> None:
        total = self._weight + weight
        share = np.divide(weight, total, out=np.zeros_like(total), where=total > 0)
        delta = mean - self._mean
        self._squares = self._squares + squares + delta**2 * self._weight * share
        self._mean = self._mean + delta * share
        self._weight = total
        self._min, self._max = np.minimum(self._min, low), np.maximum(self._max, high)
        for element in np.flatnonzero((self._min < self._low) | (self._max > self._high)):
            self._widen(int(element))

    def _widen(self, element: int) -> None:
        """Double the histogram's range until it holds the extremes."""
        low, high = self._min[element], self._max[element]
        while low < self._low[element] or high > self._high[element]:
            pairs = self._histogram[element].reshape(-1, 2).sum(axis=1)
            empty = np.zeros_like(pairs)
            span = self._high[element] - self._low[element]
            if low < self._low[element]:
                self._low[element] -= span
                self._histogram[element] = np.concatenate([empty, pairs])
            else:
                self._high[element] += span
                self._histogram[element] = np.concatenate([pairs, empty])
