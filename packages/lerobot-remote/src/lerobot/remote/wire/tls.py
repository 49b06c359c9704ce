"""Encrypted connections that one thread reads while another one writes."""

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SharedTLSSocket(ssl.SSLSocket):
    """A socket of TLS for two threads.

    OpenSSL forbids two threads at once in one connection (its manual, openssl-threads(7)), and Python's `SSLSocket`
    waits for bytes inside OpenSSL while another thread may write: now and then an answer was lost and a connection
    hung. Here one thread at a time is in OpenSSL, and nobody waits there.
    """

    _turn: "threading.Lock | None" = None
    _patience_s: float | None = None

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys; from then on it is for two threads."""
        super().do_handshake(block)
        super().settimeout(0)
        self._turn = threading.Lock()

    def settimeout(self, value: float | None, /) -> None:
        """Set how long reading and writing may wait, in seconds; None: for ever."""
        self._patience_s = value
        if self._turn is None:
            super().settimeout(value)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - named as in SSLSocket
        """Read, as `recv` and `recv_into` do; nothing at the end."""
        read = super().read
        return self._in_turn(lambda: read(len, buffer))

    def send(self, data: Any, flags: int = 0) -> int:
        """Write some of it, as `sendall` does until all is written; gives how much."""
        write = super().send
        return self._in_turn(lambda: write(data, flags))

    def shutdown(self, how: int) -> None:
        """End one direction or both. What still arrives is decrypted, other than in `SSLSocket`."""
        socket.socket.shutdown(self, how)

    def _in_turn(self, act: Callable[[], T]) -> T:
        turn = self._turn
        if turn is None:
            return act()
        end = None if self._patience_s is None else time.monotonic() + self._patience_s
        while True:
            try:
                with turn:
                    return act()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, end)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, end)

    def _wait(self, for_what: int, end: float | None) -> None:
        left_ms = None if end is None else max(0.0, end - time.monotonic()) * 1000
        poll = select.poll()
        # A socket that was closed meanwhile has the number -1, which `register` refuses.
        poll.register(self.fileno(), for_what)
        if not poll.poll(left_ms):
            raise TimeoutError("the other end takes nothing, or sends nothing")


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server shows and encrypts with.

    Args:
        certificate: file of the certificate, PEM.
        key: file of its key, PEM.

    Raises:
        OSError: they cannot be read, or do not belong together.
    """
    context = _shared(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    context.load_cert_chain(certificate, key)
    return context


def client_context(trusted: Path | None = None) -> ssl.SSLContext:
    """Whom a client trusts.

    Args:
        trusted: certificate to trust; None: those that the system trusts.

    Raises:
        OSError: it cannot be read.
    """
    return _shared(ssl.create_default_context(cafile=trusted))


def _shared(context: ssl.SSLContext) -> ssl.SSLContext:
    context.sslsocket_class = SharedTLSSocket
    return context
