"""Time as the control loop sees it: a monotonic clock that tests can replace."""

import time
from typing import Protocol


class Clock(Protocol):
    """Something that tells monotonic time and waits."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep_until(self, deadline: float) -> None:
        """Return at `deadline` (seconds on this clock), at once if it has passed."""
        ...


class MonotonicClock:
    """The system's monotonic clock.

    `time.sleep` may overshoot by the scheduler's granularity, so the last part of a wait is spent in sleeps of
    decreasing length: an absolute deadline is met without burning a core.
    """

    _MARGIN_S = 0.0005

    def now(self) -> float:
        """See `Clock.now`."""
        return time.monotonic()

    def sleep_until(self, deadline: float) -> None:
        """See `Clock.sleep_until`."""
        remaining = deadline - time.monotonic()
        while remaining > self._MARGIN_S:
            time.sleep(remaining - self._MARGIN_S)
            remaining = deadline - time.monotonic()
        while deadline - time.monotonic() > 0:
            time.sleep(0)
