"""A bounded box of numbers with the interface of a Gymnasium space, for environments without Gymnasium."""

from typing import Any

import numpy as np
import numpy.typing as npt


class Box:
    """Vectors of float32 between two bounds.

    Args:
        low: smallest value of every element.
        high: largest value of every element.
        shape: shape of the array.
    """

    def __init__(self, low: float, high: float, shape: tuple[int, ...]) -> None:
        self.low, self.high, self.shape = low, high, shape
        self.dtype = np.dtype(np.float32)
        self._random = np.random.default_rng(0)

    def seed(self, seed: int | None = None) -> None:
        """Start the sequence of `sample` again."""
        self._random = np.random.default_rng(seed)

    def sample(self) -> npt.NDArray[np.float32]:
        """Draw uniformly."""
        return self._random.uniform(self.low, self.high, self.shape).astype(np.float32)

    def contains(self, value: Any) -> bool:
        """Whether a value has the dtype and shape and lies inside the bounds."""
        array = np.asarray(value)
        fits = array.shape == self.shape and array.dtype == self.dtype
        return bool(fits and (array >= self.low).all() and (array <= self.high).all())
