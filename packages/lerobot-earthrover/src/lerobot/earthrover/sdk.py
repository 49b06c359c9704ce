"""One HTTP connection to the SDK's server."""

import contextlib
import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from lerobot.core.errors import DeviceConnectionError
from lerobot.remote.wire.errors import WireError

MAX_BYTES = 16_000_000
"""Longest answer; an image of 1280x720 as PNG, in base64, takes some 3 MB."""
PIECE_BYTES = 65_536
LONGEST_DETAIL = 200


class SdkConnection:
    """A connection that is made when it is needed, and anew after a failure; one thread asks at a time.

    Args:
        url: where the server listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._parts = urlsplit(url)
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self.is_aborted = False

    def get(self, path: str, timeout_s: float) -> dict[str, Any]:
        """Ask for something.

        Args:
            path: such as `/data`.
            timeout_s: longest time without a byte, and about the longest altogether.

        Returns:
            The JSON object that came.

        Raises:
            DeviceConnectionError: the server cannot be reached, or did not answer in time.
            WireError: it refused, or what came is no JSON object.
        """
        return self._ask("GET", path, timeout_s, None)

    def post(self, path: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send a JSON object; for the rest see `get`."""
        return self._ask("POST", path, timeout_s, json.dumps(body).encode())

    def open(self) -> None:
        """Let it be used, again after `abort`."""
        self.is_aborted = False

    def abort(self) -> None:
        """End what another thread waits for; nothing is asked any more until `open`."""
        self.is_aborted = True
        if (endpoint := self._socket) is not None:
            with contextlib.suppress(OSError):  # it is not connected any more
                endpoint.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection; the next request makes a new one."""
        connection, self._connection, self._socket = self._connection, None, None
        if connection is not None:
            connection.close()

    def _ask(self, method: str, path: str, timeout_s: float, body: bytes | None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection = self._opened(timeout_s)
            connection.request(method, self._parts.path + path, body, headers)
            response = connection.getresponse()
            data = _whole(response, time.monotonic() + timeout_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise DeviceConnectionError(
                f"{method} {self.url}{path}: {str(error) or type(error).__name__}.",
                hint="Start the SDK's server there (hypercorn main:app), and check --robot.sdk_url.",
            ) from error
        except WireError:
            self.close()
            raise
        answer = _object(data)
        if response.status != http.HTTPStatus.OK:
            detail = str((answer or {}).get("detail", response.reason))[:LONGEST_DETAIL]
            raise WireError(f"{method} {path} answers {response.status}: {detail}")
        if answer is None:
            raise WireError(f"{method} {path} answers {data[:40]!r}", expected="a JSON object")
        return answer

    def _opened(self, timeout_s: float) -> http.client.HTTPConnection:
        if self.is_aborted:
            raise ConnectionAbortedError("it was ended")
        connection = self._connection
        if connection is None or connection.sock is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(self._parts.hostname or "", self._parts.port, timeout=timeout_s)
            self._connection = connection
            connection.connect()
            self._socket = connection.sock
        connection.sock.settimeout(timeout_s)
        return connection


def _whole(response: http.client.HTTPResponse, deadline_s: float) -> bytes:
    """Read an answer piece by piece, so that one that drips does not keep a thread for ever."""
    pieces: list[bytes] = []
    size = 0
    with response:
        while piece := response.read1(PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BYTES:
                raise WireError(f"an answer is longer than {MAX_BYTES} bytes")
            if time.monotonic() > deadline_s:
                raise TimeoutError("timed out in the middle of an answer")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
