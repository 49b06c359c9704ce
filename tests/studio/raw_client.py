"""Speaks HTTP with a studio byte by byte, so that a test may say what no browser would."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio_process import Studio


@dataclass(frozen=True, slots=True)
class Answer:
    """What the studio said; `status` 0 if it closed the connection without a word."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    """One visitor.

    Args:
        studio: whom to ask.

    Attributes:
        cookie: what the studio gave for the token; empty before `enter`.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.cookie = ""

    def enter(self) -> "RawClient":
        """Show the token, take the cookie."""
        parts = urlsplit(self._studio.address)
        answer = self.ask("GET", f"{parts.path or '/'}?{parts.query}", cookie="")
        self.cookie = answer.headers.get("set-cookie", "").split(";")[0]
        assert self.cookie, f"no cookie for the token: {answer}"
        return self

    def connect(self) -> socket.socket:
        """Connect, and say nothing."""
        return socket.create_connection(("127.0.0.1", self._studio.port), timeout=20)

    def ask(
        self,
        method: str,
        path: str,
        *,
        host: str | None = None,
        origin: str | None = None,
        cookie: str | None = None,
        body: bytes = b"",
        length: int | None = None,
        headers: str = "",
    ) -> Answer:
        """Send a request and read the answer.

        Args:
            method: such as GET.
            path: as it goes over the wire.
            host: the Host line; the studio's own if None.
            origin: the Origin line; none if None.
            cookie: the Cookie line; that of `enter` if None, none if empty.
            body: what follows.
            length: what Content-Length says; that of the body if None.
            headers: further lines, each ended by CRLF.
        """
        cookie = self.cookie if cookie is None else cookie
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self._studio.port}'}"]
        lines += [f"Origin: {origin}"] if origin else []
        lines += [f"Cookie: {cookie}"] if cookie else []
        lines += [f"Content-Length: {len(body) if length is None else length}"] if method == "POST" else []
        head = "\r\n".join([*lines, "Connection: close"]) + "\r\n" + headers + "\r\n"
        with self.connect() as connection:
            try:
                connection.sendall(head.encode() + body)
                received = b"".join(iter(lambda: connection.recv(65536), b""))
            except (BrokenPipeError, ConnectionResetError):
                return Answer(0, {}, b"")
        return _parsed(received)


def _parsed(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        return Answer(0, {}, b"")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)
