"""How many actions are executed while a chunk is predicted."""

from collections import deque

WINDOW = 10


class DelayTracker:
    """Expects the longest delay of the last chunks: a spike is forgotten after so many.

    Args:
        window: number of chunks that are remembered.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._delays: deque[int] = deque(maxlen=window)

    def add(self, delay: int) -> None:
        """Take note of a chunk: as many actions were executed between its observation and its arrival."""
        self._delays.append(delay)

    @property
    def expected(self) -> int:
        """Actions that the next chunk is likely to be late; 0 before the first."""
        return max(self._delays, default=0)
