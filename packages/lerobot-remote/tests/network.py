"""A network between a client and a host that loses messages, falls silent, or breaks."""

import contextlib
import random
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve


class Network:
    """Relays whole messages both ways; what a test sets holds from the next message on.

    Attributes:
        loss: part of the messages that is lost, 0 to 1.
        silent: nothing passes while it is set; it is lost.
        passed: messages so far.
    """

    def __init__(self, address: str, seed: int = 0, headers: dict[str, str] | None = None) -> None:
        self._to = address
        self._headers = headers
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._lines: list[Any] = []
        self.loss = 0.0
        self.silent = False
        self.passed = 0
        self._server = serve(self._relay, "127.0.0.1", 0, compression=None, max_size=None, ping_interval=None)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def __enter__(self) -> "Network":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cut()
        self._server.shutdown()
        self._thread.join()

    def cut(self) -> None:
        """Break every connection."""
        with self._lock:
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.socket.shutdown(2)

    def _relay(self, near: ServerConnection) -> None:
        with connect(
            self._to, additional_headers=self._headers, compression=None, max_size=None, ping_interval=None
        ) as far:
            with self._lock:
                self._lines += [near, far]
            back = threading.Thread(target=self._pass_on, args=[far, near])
            back.start()
            self._pass_on(near, far)
            back.join()

    def _pass_on(self, source: Any, sink: Any) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            for message in source:
                with self._lock:
                    lost = self.silent or self._random.random() < self.loss
                    self.passed += 1
                if not lost:
                    sink.send(message)
        for end in (sink, source):
            with contextlib.suppress(ConnectionClosed, OSError):
                end.close()
