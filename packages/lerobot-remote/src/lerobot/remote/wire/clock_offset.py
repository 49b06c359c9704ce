"""What another computer's clock shows when this one's shows something, learned from messages that come back."""

import time
from collections import deque
from dataclasses import dataclass

KEPT = 32
"""Exchanges that are looked at; at one a second a drift of 100 ppm is 3 ms old at worst."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question for the time and its answer, seconds.

    Attributes:
        asked_s: when it was asked, on this clock.
        other_s: what the other clock showed in between.
        answered_s: when the answer came, on this clock.
    """

    asked_s: float
    other_s: float
    answered_s: float

    @property
    def round_trip_s(self) -> float:
        """How long the answer took."""
        return self.answered_s - self.asked_s

    @property
    def offset_s(self) -> float:
        """By how much the other clock is ahead, if both ways took as long."""
        return self.other_s - (self.asked_s + self.answered_s) / 2


class ClockOffset:
    """By how much another computer's monotonic clock is ahead of this one's.

    The quickest of the last exchanges counts, because whatever delays a message makes it less certain: the offset is
    off by at most half its round trip.

    Source:
        Mills 1991, Internet time synchronization (the clock filter of NTP).
    """

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)

    def add(self, asked_s: float, other_s: float, answered_s: float | None = None) -> None:
        """Take note of an exchange; see `Exchange`. The answer came now if `answered_s` is None."""
        answered_s = time.monotonic() if answered_s is None else answered_s
        if answered_s >= asked_s:
            self._exchanges.append(Exchange(asked_s, other_s, answered_s))

    @property
    def is_known(self) -> bool:
        """Whether there was an exchange at all."""
        return bool(self._exchanges)

    @property
    def offset_s(self) -> float:
        """By how much the other clock is ahead, seconds; 0 before the first exchange."""
        return self._best.offset_s if self._exchanges else 0.0

    @property
    def error_s(self) -> float:
        """How wrong that may be, seconds."""
        return self._best.round_trip_s / 2 if self._exchanges else float("inf")

    @property
    def _best(self) -> Exchange:
        return min(self._exchanges, key=lambda exchange: exchange.round_trip_s)

    def here(self, other_s: float) -> float:
        """What this clock showed when the other one showed `other_s`.

        A time that lies ahead by no more than the offset may be wrong is now: nothing is measured before it happens.
        """
        here_s, now_s = other_s - self.offset_s, time.monotonic()
        return now_s if now_s < here_s <= now_s + self.error_s else here_s

    def there(self, here_s: float) -> float:
        """What the other clock showed when this one showed `here_s`."""
        return here_s + self.offset_s
