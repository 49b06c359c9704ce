"""Asking the SDK's server the same thing again and again."""

import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from lerobot.core.errors import DeviceTimeoutError, LeRobotError
from lerobot.earthrover.sdk import SdkConnection
from lerobot.remote.newest import Timed

log = logging.getLogger(__name__)

T = TypeVar("T")

PERIOD_S = 1 / 30
"""Least time between two questions: the SDK takes no more than 30 images per second."""
RETRY_S = 0.2
"""Time after a failure until it is asked again."""


class Route(Generic[T]):
    """One route of the server, with a connection of its own.

    Args:
        device: whose it is, for messages.
        url: where the server listens.
        path: such as `/data`.
        decode: turns an answer into a value; raises `WireError` for one that is of no use.
        timeout_s: how long an answer is waited for.

    Attributes:
        refused: how many questions got no answer that was of use.
        trouble: why the last one got none; None if it got one.
    """

    def __init__(
        self, device: str, url: str, path: str, decode: Callable[[dict[str, Any]], T], *, timeout_s: float
    ) -> None:
        self._device = device
        self._path = path
        self._decode = decode
        self._timeout_s = timeout_s
        self._connection = SdkConnection(url)
        self._last_timestamp: object = None
        self._due_s = 0.0
        self.refused = 0
        self.trouble: LeRobotError | None = None

    def news(self) -> Timed[T] | None:
        """Ask once, at most `PERIOD_S` after the time before.

        The server repeats itself while the rover says nothing. An answer with the `timestamp` of the one before is
        therefore no news; what clock it is of, and what it shows, does not matter.

        Returns:
            A value and when it was asked for; None if it is no news, or nothing came that is of use.
        """
        time.sleep(max(0.0, min(self._due_s - time.monotonic(), RETRY_S)))
        asked_s = time.monotonic()
        self._due_s = asked_s + PERIOD_S
        try:
            answer = self._connection.get(self._path, self._timeout_s)
            timestamp = answer.get("timestamp")
            value = self._decode(answer) if timestamp is None or timestamp != self._last_timestamp else None
        except LeRobotError as error:
            if self._connection.is_aborted:
                return None
            self._due_s = time.monotonic() + RETRY_S
            self._refuse(error)
            return None
        self.trouble = None
        if value is None:
            return None
        self._last_timestamp = timestamp
        return Timed(value, asked_s, 0)

    def explained(self, error: DeviceTimeoutError) -> DeviceTimeoutError:
        """The same error, with what the server said last."""
        if self.trouble is None:
            return error
        return DeviceTimeoutError(
            f"{error.what} {self.trouble.what}",
            device=self._device,
            expected=error.expected,
            hint=self.trouble.hint or error.hint,
        )

    def open(self) -> None:
        """Begin, knowing nothing of what was said before."""
        self._connection.open()
        self._last_timestamp, self.refused, self.trouble = None, 0, None

    def abort(self) -> None:
        """Let the thread that asks come back at once, with nothing, also while it waits for an answer."""
        self._connection.abort()

    def close(self) -> None:
        """End the connection, when nobody asks any more."""
        self._connection.close()

    def _refuse(self, error: LeRobotError) -> None:
        if not self.refused:
            log.warning("%s: %s; further ones are only counted", self._device, error.what)
        self.refused += 1
        self.trouble = error
