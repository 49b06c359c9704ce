"""Capture times of a sender that only ever talks, on this computer's clock."""

import math

DRIFT = 1e-4
"""How much faster one computer's clock may run than another's; quartz stays within some 50 ppm."""
SHORTEST_S = 1e-6
"""Least time between two pictures."""


class CaptureClock:
    """Turns times of a sender's clock into this computer's, however wrong that clock is.

    Nobody can be asked what time it is there. So the quickest of the pictures so far is taken to have come at once, and
    another one is as old as it was slower than that. Times here always grow, and none lies in the future.
    """

    def __init__(self) -> None:
        self._there_s = math.inf
        self._quickest_s = 0.0
        self._arrived_s = 0.0
        self._here_s = -math.inf

    def here(self, there_s: float, arrived_s: float) -> float:
        """When a picture was taken.

        Args:
            there_s: when it was taken, on the sender's clock.
            arrived_s: when it came, on this computer's monotonic clock.

        Returns:
            When it was taken on this computer's monotonic clock, in seconds; the time that the quickest picture was on
            its way is missing in it.
        """
        took_s = arrived_s - there_s
        if there_s < self._there_s:  # it is the first, or the clock there was set back
            self._quickest_s = took_s
        else:
            self._quickest_s = min(self._quickest_s + DRIFT * (arrived_s - self._arrived_s), took_s)
        self._there_s, self._arrived_s = there_s, arrived_s
        self._here_s = min(max(there_s + self._quickest_s, self._here_s + SHORTEST_S), arrived_s)
        return self._here_s
