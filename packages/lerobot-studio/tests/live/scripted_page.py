"""A page without a browser: says hello, answers pings, and remembers what it was told."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from studio_client import Studio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_S = 60.0


def wait_for(found: Callable[[], Any], what: str) -> Any:
    """Wait until `found` gives something true, and give that."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return value


class ScriptedPage:
    """A page of a studio.

    Args:
        studio: the studio.
        name: the tab's id.

    Attributes:
        is_frozen: it answers nothing while this is set.
        newest: the latest message of each type.
        all: messages in order, pings left out.
        pictures: headers and sizes of pictures.
        closed: code and reason with which the studio closed the connection; None while it is open.
    """

    def __init__(self, studio: Studio, name: str) -> None:
        self.name = name
        self.is_frozen = False
        self.newest: dict[str, Any] = {}
        self.all: list[dict[str, Any]] = []
        self.pictures: list[tuple[dict[str, Any], bytes]] = []
        self.closed: tuple[int | None, str] | None = None
        self._stack = contextlib.ExitStack()
        opened = connect(
            f"ws://127.0.0.1:{studio.port}/live",
            origin=studio.origin,
            additional_headers=studio.headers,
            max_size=1 << 22,
            close_timeout=0.2,
        )
        self._socket = self._stack.enter_context(opened)
        self.send(type="hello", page=name)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def send(self, **message: Any) -> None:
        self._socket.send(json.dumps(message))

    def send_raw(self, content: str | bytes) -> None:
        self._socket.send(content)

    def jog(self, run: str, **keys: float) -> None:
        self.send(
            type="jog", run=run, keys={key.replace("__", "."): value for key, value in keys.items()}, t=time.monotonic()
        )

    def wait(self, kind: str, found: Any = lambda message: True) -> Any:
        """Wait for a message that is newest of its kind and has a property."""
        return wait_for(
            lambda: self.newest.get(kind) if kind in self.newest and found(self.newest[kind]) else None,
            f"{kind} for {self.name}: {self.newest.get(kind)}",
        )

    def close(self) -> None:
        """Close the tab."""
        self._stack.close()
        self._thread.join(10)

    def cut(self) -> None:
        """Lose the connection without a word."""
        self._socket.socket.shutdown(2)
        self._thread.join(10)

    def _listen(self) -> None:
        try:
            for content in self._socket:
                self._take(content)
        except ConnectionClosed:
            pass
        self.closed = self._socket.close_code, self._socket.close_reason or ""

    def _take(self, content: str | bytes) -> None:
        if isinstance(content, bytes):
            length = int.from_bytes(content[:2])
            self.pictures.append((json.loads(content[2 : 2 + length]), content[2 + length :]))
            return
        message = json.loads(content)
        if message["type"] == "ping":
            if not self.is_frozen:
                try:
                    self.send(type="alive", n=message["n"])
                except ConnectionClosed:
                    return
            return
        self.all.append(message)
        self.newest[message["type"]] = message
