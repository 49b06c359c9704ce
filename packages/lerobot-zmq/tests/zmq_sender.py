"""A sender of messages, which says whatever a test wants it to say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import zmq

PERIOD_S = 0.01


class Sender:
    """Sends in a thread, again and again, what `message` gives: bytes, several frames, or None for nothing."""

    def __init__(self, port: int = 0) -> None:
        self.message: Callable[[int], bytes | list[bytes] | None] = lambda _: None
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.bind(f"tcp://127.0.0.1:{port}")
        self.port = int(self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(PERIOD_S):
            message = self.message(number)
            number += 1
            if message is not None:
                self._socket.send_multipart(message if isinstance(message, list) else [message])

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._context.destroy(linger=0)


@contextmanager
def sending(port: int = 0) -> Iterator[Sender]:
    sender = Sender(port)
    try:
        yield sender
    finally:
        sender.close()
