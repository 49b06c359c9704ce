"""Chosen frames of a dataset, which are read when they are used."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from lerobot.datasets.format.features import FeatureMap
from lerobot.datasets.reader.reader import FrameIndexError

Item = dict[str, Any]
"""Tensors by feature, `<key>_is_pad` for windows, and `task`, the instruction."""


class FrameSource(Protocol):
    """What views are made of, and what they are."""

    @property
    def features(self) -> FeatureMap:
        """Declarations by feature."""
        ...

    @property
    def fps(self) -> int | float:
        """Frames per second."""
        ...

    def __len__(self) -> int: ...

    def __getitems__(self, indices: Iterable[int]) -> list[Item]: ...


class FrameSubset:
    """Chosen frames of a dataset, in the order and as often as they are chosen.

    Delta windows still see the whole episode around a frame.

    Args:
        dataset: what to choose from.
        indices: which frames, counted from either end.

    Raises:
        FrameIndexError: a frame does not exist.
    """

    def __init__(self, dataset: FrameSource, indices: Iterable[int]) -> None:
        self.dataset = dataset
        size = len(dataset)
        chosen = np.fromiter(indices, np.int64)
        self.indices: NDArray[np.int64] = np.where(chosen < 0, chosen + size, chosen)
        outside = chosen[(self.indices < 0) | (self.indices >= size)]
        if outside.size:
            raise FrameIndexError(f"frame {outside[0]} does not exist", expected=f"{-size} to {size - 1}")

    @property
    def features(self) -> FeatureMap:
        """Declarations by feature."""
        return self.dataset.features

    @property
    def fps(self) -> int | float:
        """Frames per second."""
        return self.dataset.fps

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> "FrameSubset": ...

    def __getitem__(self, index: int | slice) -> "Item | FrameSubset":
        """One frame, counted from either end, or the frames of a slice, which are read when they are used."""
        if isinstance(index, slice):
            return FrameSubset(self.dataset, self.indices[index].tolist())
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> list[Item]:
        """A batch of frames in one call."""
        return self.dataset.__getitems__(self.indices[places_of(indices, len(self))].tolist())

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(len(self)))


def places_of(indices: Iterable[int], size: int) -> NDArray[np.int64]:
    """Indices counted from the front.

    Raises:
        FrameIndexError: one is outside.
    """
    asked = np.fromiter(indices, np.int64)
    places = np.where(asked < 0, asked + size, asked)
    outside = asked[(places < 0) | (places >= size)]
    if outside.size:
        raise FrameIndexError(f"frame {outside[0]} does not exist", expected=f"{-size} to {size - 1}")
    return places
