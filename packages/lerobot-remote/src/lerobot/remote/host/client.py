"""One client of a host, from its beginning to its end."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import BEGIN, OURS, READY, Description, check_begin
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.topics import ENDED, TIME, number

Message = Mapping[str, Any]

BEGIN_S = 10.0
POLL_S = 0.2


class Client:
    """What a host knows of one client.

    The thread of the connection reads; another one sends, and of each topic only what is newest, so that whoever
    publishes never waits for a slow network.

    Args:
        link: the open connection.

    Attributes:
        gone: set once nothing more comes from it.
        failure: why it is gone; None if it left by itself or is still there.
        heard_s: when something came last, monotonic seconds.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.name = link.name
        self.gone = threading.Event()
        self.failure: LeRobotError | None = None
        self.heard_s = time.monotonic()
        self._waiting: dict[str, Callable[[], Message]] = {}
        self._news = threading.Condition()
        self._sender: threading.Thread | None = None

    # --- the thread of the connection --------------------------------------------------------------------------------

    def await_begin(self, description: Description) -> bool:
        """Say what is served, and wait until the client means to use it; False if it only wanted to know.

        Raises:
            LeRobotError: it began with something else than what is served.
        """
        self.link.send(description.message())
        until_s = time.monotonic() + BEGIN_S
        while time.monotonic() < until_s:
            try:
                message = self.link.receive(POLL_S)
            except ConnectionError:
                return False
            if message is None or self._told_time(message):
                continue
            check_begin(message, description)
            self.heard_s = time.monotonic()
            return True
        raise WireError(f"{self.name} did not begin", expected=f"{BEGIN!r} within {BEGIN_S:g} s")

    def read(self, handle: Callable[[str, Message], bool]) -> None:
        """Read until the client is gone.

        Args:
            handle: called with the topic and the message; returns False for a topic it does not know.

        Raises:
            LeRobotError: what came is nonsense; the reason stands in `failure` too.
        """
        try:
            while not self.gone.is_set():
                message = self.link.receive(POLL_S)
                if message is None:
                    continue
                self.heard_s = time.monotonic()
                topic = message.get(OURS)
                if self._told_time(message):
                    continue
                if not isinstance(topic, str) or not handle(topic, message):
                    raise WireError(f"{self.name} sent a message of the type {str(topic)[:40]!r}")
        except LeRobotError as error:
            self.failure = error
            raise
        finally:
            self._leave()

    def _told_time(self, message: Message) -> bool:
        if message.get(OURS) != TIME:
            return False
        self.link.send({OURS: TIME, "asked": number(message, "asked"), "now": time.monotonic()})
        return True

    # --- whoever publishes -------------------------------------------------------------------------------------------

    def ready(self, **facts: Any) -> None:
        """Answer the beginning, and send from now on what is published."""
        self.link.send({OURS: READY, **facts})
        self._sender = threading.Thread(target=self._send, name=f"to {self.name}", daemon=True)
        self._sender.start()

    def answer(self, topic: str, **entries: Any) -> None:
        """Send a message now.

        Raises:
            DeviceConnectionError: the connection is gone.
        """
        self.link.send({OURS: topic, **entries})

    def publish(self, topic: str, make: Callable[[], Message]) -> None:
        """Let a message be sent soon, in the place of an older one of its topic that still waits.

        Args:
            topic: type of the message.
            make: makes its entries, in the sender's thread, where compressing pictures holds nobody.
        """
        with self._news:
            self._waiting[topic] = make
            self._news.notify()

    def end(self, reason: str, **facts: Any) -> None:
        """Say that it is over, and end the connection; does nothing if it is gone."""
        self._leave()
        try:
            self.link.send({OURS: ENDED, "reason": reason, **facts})
        except (ConnectionError, WireError):
            self.link.cut()
        self.link.close()

    def _leave(self) -> None:
        """Send nothing more of what is published; the sender has ended afterwards."""
        self.gone.set()
        with self._news:
            self._news.notify()
        if self._sender is not None:
            self._sender.join()

    def _send(self) -> None:
        try:
            while not self.gone.is_set():
                with self._news:
                    self._news.wait_for(lambda: self._waiting or self.gone.is_set(), POLL_S)
                    waiting, self._waiting = self._waiting, {}
                for topic, make in waiting.items():
                    self.link.send({OURS: topic, **make()})
        except LeRobotError as error:
            self.failure = self.failure or error
            self.gone.set()
