"""One open connection, whichever end opened it."""

import contextlib
import logging
import socket
import struct
import sys
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.connection import Connection

from lerobot.core.errors import DeviceConnectionError
from lerobot.remote.wire.codec import pack, unpack, unpack_map
from lerobot.remote.wire.errors import RefusedError, WireError

INTERNAL_ERROR = 1011
"""Close code after an error was told; openpi's server gives it."""
SEND_S = 5.0
"""A connection whose other end takes in nothing for so long is given up."""
LONGEST_TEXT = 2000

SILENT = logging.Logger("websockets", logging.CRITICAL + 1)
"""What the library would log is told to whoever uses the connection, in one line; this one writes nothing."""


class Link:
    """Sends and receives messages; any thread may send, one receives.

    Args:
        connection: an open WebSocket.
        name: of the other end, for messages.
        max_bytes: longest message that is read.
    """

    def __init__(self, connection: Connection, name: str, max_bytes: int) -> None:
        self.name = name
        self._connection = connection
        self._max_bytes = max_bytes
        seconds = struct.pack("ll", int(SEND_S), 0) if sys.platform != "win32" else struct.pack("L", int(SEND_S * 1000))
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)

    def send(self, message: Any) -> None:
        """Send a message; see `pack` for what it may be.

        Raises:
            WireError: it cannot be sent.
            DeviceConnectionError: the connection is gone, or the other end takes nothing in.
        """
        self._send(pack(message))

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a message.

        Args:
            timeout_s: longest time to wait; None for no limit.

        Returns:
            The message, a map; None if none came in time.

        Raises:
            WireError: what came is no such message.
            RefusedError: the other end said in words what is wrong.
            DeviceConnectionError: the connection is gone.
        """
        came = self._receive(timeout_s)
        return None if came is None else unpack_map(came, max_bytes=self._max_bytes)

    def receive_any(self, timeout_s: float | None = None) -> Any:
        """Wait for a message that may be of any kind; see `receive`, which this is otherwise."""
        came = self._receive(timeout_s)
        return None if came is None else unpack(came, max_bytes=self._max_bytes)

    def refuse(self, reason: str) -> None:
        """Say in words what is wrong and end the connection; does nothing if it is gone."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._connection.send(reason[:LONGEST_TEXT])
        with contextlib.suppress(ConnectionClosed, OSError):
            self._connection.close(INTERNAL_ERROR, "the error is in the text before")

    def close(self) -> None:
        """End the connection; may be called by any thread and repeatedly."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._connection.close()

    def cut(self) -> None:
        """Break the connection at once, whatever another thread is sending or waiting for."""
        with contextlib.suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except (ConnectionClosed, OSError) as error:
            raise self._gone(error) from error

    def _receive(self, timeout_s: float | None) -> bytes | None:
        try:
            came = self._connection.recv(timeout_s)
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            raise self._gone(error) from error
        except UnicodeDecodeError as error:
            raise WireError(f"{self.name} sent a text that is none: {error}") from error
        if isinstance(came, str):
            raise RefusedError(f"{self.name} says: {came.strip()[:LONGEST_TEXT]}")
        return came

    def _gone(self, error: Exception) -> DeviceConnectionError:
        return DeviceConnectionError(
            f"the connection to {self.name} is gone: {error}.", device=self.name, hint="Check that it still runs."
        )
