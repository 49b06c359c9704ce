"""Time as the control loop sees it: a monotonic clock that tests can replace."""

import time
from typing import Protocol, runtime_checkable


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

    A sleep ends late by the scheduler's granularity (some 60 us on Linux), so it aims a little before the deadline and
    the rest is spent spinning: at 60 Hz that costs about one percent of a core. Yielding instead would hand the core
    to a busy neighbour right before the deadline.
    """

    _MARGIN_S = 0.0002

    def now(self) -> float:
        """See `Clock.now`."""
        return time.monotonic()

    def sleep_until(self, deadline: float) -> None:
        """See `Clock.sleep_until`."""
        remaining = deadline - time.monotonic()
        if remaining > self._MARGIN_S:
            time.sleep(remaining - self._MARGIN_S)
        while time.monotonic() < deadline:
            pass


@runtime_checkable
class HasClock(Protocol):
    """A robot with a time of its own: a simulation that runs as fast as the computer can."""

    @property
    def clock(self) -> Clock:
        """The time that measurements are stamped with and deadlines are kept in."""
        ...


def clock_of(robot: object) -> Clock:
    """The clock a robot is driven by: its own if it has one, else the system's."""
    return robot.clock if isinstance(robot, HasClock) else MonotonicClock()
