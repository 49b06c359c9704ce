"""The newest command on its way to the rover."""

import logging
import threading
import time

from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.earthrover.messages import encode_command
from lerobot.earthrover.sdk import SdkConnection

log = logging.getLogger(__name__)

RETRY_S = 0.1
"""Time after a command that did not get through until the newest is sent."""
HALT_TRIES = 3


class Commander:
    """Sends the newest command in a thread of its own, so that a slow network does not stop the control loop.

    A command that is overtaken by a newer one before it was sent is not sent. One that does not get through is sent
    again, or the newer one in its place, until something gets through.

    Args:
        device: who commands, for messages.
        url: where the SDK's server listens.
        timeout_s: how long a command may take to be accepted.
        give_up_s: commands are refused when none got through for so long, in seconds.
    """

    def __init__(self, device: str, url: str, *, timeout_s: float, give_up_s: float) -> None:
        self._device = device
        self._connection = SdkConnection(url)
        self._timeout_s = timeout_s
        self._give_up_s = give_up_s
        self._changed = threading.Condition()
        self._wanted = (0.0, 0.0)
        self._count = self._delivered = 0
        self._failure: LeRobotError | None = None
        self._failing_since_s = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.lamp = 0
        """State of the lamp that goes with every command; a command cannot leave it out."""

    @property
    def is_running(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread; it sends nothing by itself."""
        self._count = self._delivered = 0
        self._failure, self._stopping = None, False
        self._connection.open()
        self._thread = threading.Thread(target=self._run, name=f"{self._device} commands", daemon=True)
        self._thread.start()

    def send(self, linear: float, angular: float) -> None:
        """Let this be the newest command.

        Raises:
            DeviceConnectionError: none got through for `give_up_s`.
        """
        with self._changed:
            if self._failure is not None and time.monotonic() - self._failing_since_s > self._give_up_s:
                raise DeviceConnectionError(
                    f"{self._device}: no command got through for {self._give_up_s:g} s: {self._failure.what}",
                    device=self._device,
                    hint=self._failure.hint,
                ) from self._failure
            self._put(linear, angular)

    def halt(self) -> None:
        """Stop the rover, and wait until the server has taken the command.

        Raises:
            DeviceConnectionError: it did not take it.
        """
        with self._changed:
            self._put(0.0, 0.0)
        self.settle(HALT_TRIES * self._timeout_s)

    def settle(self, timeout_s: float) -> None:
        """Wait until the newest command has got through.

        Raises:
            DeviceConnectionError: it did not within `timeout_s` seconds.
        """
        with self._changed:
            wanted = self._count
            if not self._changed.wait_for(lambda: self._delivered >= wanted, timeout_s):
                reason = "the server does not answer." if self._failure is None else self._failure.what
                raise DeviceConnectionError(
                    f"{self._device}: a command did not get through: {reason}",
                    device=self._device,
                    hint="The rover goes on as it was told last: take it up, or switch it off.",
                ) from self._failure

    def close(self) -> None:
        """End the thread, without sending anything more; calling it again does nothing."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._connection.abort()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._connection.close()

    def _put(self, linear: float, angular: float) -> None:
        self._wanted = (linear, angular)
        self._count += 1
        self._changed.notify_all()

    def _run(self) -> None:
        while (command := self._next()) is not None:
            number, linear, angular = command
            try:
                self._connection.post("/control", encode_command(linear, angular, self.lamp), self._timeout_s)
            except LeRobotError as error:
                self._note_failure(error)
            else:
                self._note_delivery(number)

    def _next(self) -> tuple[int, float, float] | None:
        """Wait for a command that did not get through yet; None once the thread shall end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._count > self._delivered)
            return None if self._stopping else (self._count, *self._wanted)

    def _note_failure(self, error: LeRobotError) -> None:
        with self._changed:
            if self._failure is None:
                self._failing_since_s = time.monotonic()
                log.warning("%s: a command did not get through: %s", self._device, error.what)
            self._failure = error
            self._changed.wait_for(lambda: self._stopping, RETRY_S)

    def _note_delivery(self, number: int) -> None:
        with self._changed:
            self._delivered, self._failure = number, None
            self._changed.notify_all()
