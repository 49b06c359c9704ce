"""Several clients that all get the same."""

import threading
from collections.abc import Callable
from typing import Self

from lerobot.remote.host.client import Client, Message
from lerobot.remote.wire.errors import RefusedError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.link import Link

STOPPED = "the host was stopped"


class Audience:
    """The clients of a host that publishes; they are served while it is entered."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._open = False

    def __enter__(self) -> Self:
        self._open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._open = False
            clients, self._clients = self._clients, set()
        for client in clients:
            client.end(STOPPED)

    def attend(self, link: Link, description: Description, handle: Callable[[str, Message], bool]) -> None:
        """Serve one connection, in its thread.

        Args:
            link: the connection.
            description: what is served.
            handle: takes in what the client sends; see `Client.read`.
        """
        client = Client(link)
        if not client.await_begin(description):
            return
        client.ready()
        with self._lock:
            if not self._open:
                raise RefusedError(STOPPED)
            self._clients.add(client)
        try:
            client.read(handle)
        finally:
            with self._lock:
                self._clients.discard(client)

    def publish(self, topic: str, make: Callable[[], Message]) -> None:
        """Let every client have a message soon; see `Client.publish`."""
        with self._lock:
            for client in self._clients:
                client.publish(topic, make)
