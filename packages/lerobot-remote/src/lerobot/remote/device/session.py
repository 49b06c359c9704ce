"""The connection of a device to its host: opened, kept alive, read in a thread, ended."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lerobot.core.errors import DeviceConnectionError, DeviceError, LeRobotError
from lerobot.remote.config import RemoteDeviceOptions
from lerobot.remote.wire.client import open_link
from lerobot.remote.wire.clock_offset import ClockOffset
from lerobot.remote.wire.config import ConnectOptions
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import OURS, Description, begin
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.topics import ENDED, HEARTBEAT_S, LEAVE, TIME, number

Message = Mapping[str, Any]

SILENCE_S = 5.0
"""A host that does not even tell the time for so long is taken to be gone."""
LAST_WORDS_S = 1.0
FIRST_EXCHANGES = 8
"""Questions for the time before anything else; the quickest answer counts."""


def first_message(link: Link, within_s: float) -> dict[str, Any]:
    """Wait for what a server says first.

    Raises:
        DeviceConnectionError: it says nothing.
    """
    message = link.receive(within_s)
    if message is None:
        raise DeviceConnectionError(f"{link.name} accepted the connection and says nothing.", device=link.name)
    return message


def describe(options: ConnectOptions, kind: str, name: str) -> Description:
    """Ask a server what it serves; nothing begins.

    Raises:
        DeviceConnectionError: it cannot be reached.
        LeRobotError: it serves something else, or speaks another version.
    """
    with open_link(options, name, ping_s=None) as link:
        return Description.read(first_message(link, options.connect_timeout_s), kind, name)


class Session:
    """A connection that has begun; from `start` on a thread reads it and asks for the time.

    Args:
        options: where the host is.
        description: what it is expected to serve.
        name: of the device, for messages.
        handle: called with topic and message, in the thread; raises WireError for nonsense.
        failed: called once, in the thread, with what ended the connection.

    Attributes:
        clock: by how much the host's clock is ahead.
        is_safe: whether the host's robot is in its safe state; None as long as the host has not said.
        failure: what ended the connection; None before.

    Raises:
        LeRobotError: the host cannot be reached, serves something else, or refuses.
    """

    def __init__(
        self,
        options: RemoteDeviceOptions,
        description: Description,
        name: str,
        *,
        handle: Callable[[str, Message], None],
        failed: Callable[[DeviceError], None],
    ) -> None:
        self.name = name
        self.clock = ClockOffset()
        self.is_safe: bool | None = None
        self.failure: DeviceError | None = None
        self._handle = handle
        self._failed = failed
        self._ended = threading.Event()
        self._read_all = threading.Event()
        self._stack = contextlib.ExitStack()
        try:
            self._link = self._stack.enter_context(open_link(options, name, ping_s=None))
            found = Description.read(first_message(self._link, options.connect_timeout_s), description.kind, name)
            if found.digest != description.digest:
                raise DeviceError(
                    f"{name} is not what it was: its features, units or rates have changed.",
                    hint="Start again, so that they are read anew.",
                )
            for _ in range(FIRST_EXCHANGES):
                self._exchange(options.connect_timeout_s)
            begin(self._link, description, within_s=options.ready_timeout_s)
        except BaseException:
            self._stack.close()
            raise
        self._thread = threading.Thread(target=self._read, name=f"{name} session", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def send(self, topic: str, **entries: Any) -> None:
        """Send a message.

        Raises:
            DeviceError: the connection is gone, or the host ended it; says why.
        """
        try:
            self._link.send({OURS: topic, **entries})
        except DeviceConnectionError as error:
            # What the host said last says more than that the connection is gone.
            self._read_all.wait(LAST_WORDS_S)
            raise self.failure or error from error

    def leave(self, within_s: float) -> bool:
        """Tell the host that this is over, unless it is, and wait until it has said so.

        Returns:
            Whether the host said that its robot is in its safe state.

        Raises:
            DeviceConnectionError: it says nothing.
        """
        failure: DeviceError | None = None
        if self.is_safe is None:
            try:
                self.send(LEAVE)
                self._read_all.wait(within_s)
            except DeviceError as error:
                failure = error
        if self.is_safe is None:
            why = f"it did not answer within {within_s:g} s" if failure is None else failure.what
            raise DeviceConnectionError(f"{self.name} could not be asked: {why}", device=self.name) from failure
        return self.is_safe

    def close(self) -> None:
        """End the connection and the thread; may be called repeatedly."""
        self._ended.set()
        self._stack.close()
        if self._thread.is_alive():
            self._thread.join()

    def _exchange(self, within_s: float) -> None:
        asked_s = time.monotonic()
        self._ask_time(asked_s)
        answer = self._link.receive(within_s)
        if answer is None or answer.get(OURS) != TIME:
            raise WireError(f"{self.name} does not tell the time")
        self.clock.add(asked_s, number(answer, "now"))

    def _ask_time(self, now_s: float) -> None:
        # If the connection is gone, what is still to be read says why.
        with contextlib.suppress(DeviceConnectionError):
            self._link.send({OURS: TIME, "asked": now_s})

    def _read(self) -> None:
        due_s, heard_s = 0.0, time.monotonic()
        try:
            while not self._ended.is_set():
                if (now_s := time.monotonic()) >= due_s:
                    due_s = now_s + HEARTBEAT_S
                    self._ask_time(now_s)
                message = self._link.receive(max(0.0, due_s - now_s))
                if message is not None:
                    heard_s = now_s
                    self._take(message)
                elif now_s - heard_s > SILENCE_S:
                    raise DeviceConnectionError(f"{self.name} has been silent for {SILENCE_S:g} s.", device=self.name)
        except DeviceError as error:
            self._fail(error)
        except LeRobotError as error:
            self._fail(DeviceError(f"{self.name}: {error}", device=self.name))
            self._link.refuse(str(error))
        finally:
            self._read_all.set()

    def _fail(self, failure: DeviceError) -> None:
        if not self._ended.is_set():
            self.failure = failure
            self._failed(failure)

    def _take(self, message: Message) -> None:
        topic = message.get(OURS)
        if topic == TIME:
            self.clock.add(number(message, "asked"), number(message, "now"))
        elif topic == ENDED:
            self.is_safe = message.get("safe") is True
            safe = " The robot is in its safe state." if self.is_safe else ""
            self._fail(DeviceError(f"{self.name} was ended by its host: {str(message.get('reason'))[:500]}{safe}"))
            self._ended.set()
        elif isinstance(topic, str):
            self._handle(topic, message)
        else:
            raise WireError(f"{self.name} sent a message without a type")
