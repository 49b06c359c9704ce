"""The newest value of a source that may fall silent: the older ones are of no use to a robot."""

import threading
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

from lerobot.core.errors import DeviceError, DeviceTimeoutError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A value with its origin.

    Attributes:
        value: what came.
        time_s: when it was measured, or came where nobody says when, on this computer's monotonic clock, in seconds.
        sequence: how many values came before it.
    """

    value: T
    time_s: float
    sequence: int


class Newest(Generic[T]):
    """A mailbox that keeps the newest value only, and says how old it is; any thread may use it.

    A reader that needs a value asks `latest`, which raises on one that is too old. A reader that has something better
    to do without one, such as the host of a robot, which then holds, asks `fresh`.

    Args:
        name: of the source, for messages.
        max_age_s: an older value is not given out; seconds.
    """

    def __init__(self, name: str, *, max_age_s: float) -> None:
        self.name = name
        self.max_age_s = max_age_s
        self._news = threading.Condition()
        self._newest: Timed[T] | None = None
        self._failure: DeviceError | None = None
        self._count = 0

    def put(self, value: T, time_s: float | None = None) -> None:
        """Take a value in; it replaces the one before and ends a failure.

        Args:
            value: what came.
            time_s: when it was measured, on this computer's monotonic clock; now if None.
        """
        with self._news:
            self._newest = Timed(value, time.monotonic() if time_s is None else time_s, self._count)
            self._failure = None
            self._count += 1
            self._news.notify_all()

    def fail(self, failure: DeviceError) -> None:
        """Tell readers from now on that the source failed, until the next `put`."""
        with self._news:
            self._failure = failure
            self._news.notify_all()

    def clear(self) -> None:
        """Forget the value and the failure; numbers go on."""
        with self._news:
            self._newest, self._failure = None, None

    def fresh(self) -> Timed[T] | None:
        """The newest value; None if there is none, it is too old, or the source failed."""
        with self._news:
            newest = self._newest
            if newest is None or self._failure is not None or self._age(newest) > self.max_age_s:
                return None
            return newest

    def latest(self) -> Timed[T]:
        """The newest value, without waiting.

        Raises:
            DeviceTimeoutError: there is none yet, or it is too old.
            DeviceError: what the source failed with.
        """
        with self._news:
            if self._failure is not None:
                raise self._failure
            newest = self._newest
            if newest is None:
                raise DeviceTimeoutError(f"{self.name} has sent nothing yet.", device=self.name)
            if (age := self._age(newest)) > self.max_age_s:
                raise DeviceTimeoutError(
                    f"{self.name} has sent nothing new for {age:.2f} s.",
                    device=self.name,
                    expected=f"something new at least every {self.max_age_s:g} s",
                    hint="Check that it runs, and the network between.",
                )
            return newest

    def wait(self, *, after: int = -1, timeout_s: float) -> Timed[T]:
        """Wait for a value with a higher number than `after`.

        Raises:
            DeviceTimeoutError: none came within `timeout_s` seconds.
            DeviceError: what the source failed with.
        """

        def settled() -> bool:
            return self._failure is not None or (self._newest is not None and self._newest.sequence > after)

        with self._news:
            self._news.wait_for(settled, timeout_s)
            if self._failure is not None:
                raise self._failure
            if self._newest is None or self._newest.sequence <= after:
                raise DeviceTimeoutError(f"{self.name} sent nothing new within {timeout_s:g} s.", device=self.name)
            return self._newest

    @staticmethod
    def _age(timed: Timed[T]) -> float:
        return time.monotonic() - timed.time_s
