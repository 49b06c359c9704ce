"""One action a tick out of chunks: the first actions of each, or an average of all that were predicted for a tick."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Chunk = NDArray[np.float32]
"""Coming actions `(T, Da)`."""


class Acting(Protocol):
    """Gives the action of a tick."""

    def reset(self) -> None:
        """Forget the chunks so far."""
        ...

    def next(self, predict: Callable[[], Chunk]) -> NDArray[np.float32]:
        """Give the next action `(Da,)`; `predict` is called when it takes a new chunk."""
        ...


class ActionQueue:
    """Executes the first actions of a chunk, then predicts anew.

    Args:
        n_action_steps: actions executed per chunk.
    """

    def __init__(self, n_action_steps: int) -> None:
        self._most = n_action_steps
        self._actions: deque[NDArray[np.float32]] = deque()

    def reset(self) -> None:
        """See `Acting.reset`."""
        self._actions.clear()

    def next(self, predict: Callable[[], Chunk]) -> NDArray[np.float32]:
        """See `Acting.next`."""
        if not self._actions:
            self._actions.extend(predict()[: self._most])
        return self._actions.popleft()


class TemporalEnsembler:
    """Predicts at every tick and averages all predictions made for it, weighted by `exp(-coefficient * age)`.

    The oldest prediction has the weight 1, so a positive coefficient favours older ones.

    Args:
        coefficient: 0 for equal weights; negative favours new predictions.

    Source:
        Zhao et al. 2023, arXiv:2304.13705, algorithm 2.
    """

    def __init__(self, coefficient: float) -> None:
        self._coefficient = coefficient
        self._chunks: deque[Chunk] = deque()

    def reset(self) -> None:
        """See `Acting.reset`."""
        self._chunks.clear()

    def next(self, predict: Callable[[], Chunk]) -> NDArray[np.float32]:
        """See `Acting.next`; `predict` is called every time."""
        self._chunks.append(predict())
        # Chunk i is as many ticks old as there are chunks behind it; those that end before this tick have no say.
        while len(self._chunks) > len(self._chunks[0]):
            self._chunks.popleft()
        planned = [chunk[age] for age, chunk in zip(range(len(self._chunks) - 1, -1, -1), self._chunks, strict=True)]
        weights = np.exp(-self._coefficient * np.arange(len(planned)))
        average: NDArray[np.float32] = np.average(planned, axis=0, weights=weights).astype(np.float32)
        return average
