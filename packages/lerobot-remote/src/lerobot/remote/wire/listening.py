"""A server of websockets in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Any

from websockets.sync.server import Server, ServerConnection, serve

from lerobot.core.errors import DeviceConnectionError
from lerobot.remote.wire.link import SILENT


class Listening:
    """Serves from the moment it is made until it is closed.

    Args:
        handle: called with every connection, in a thread of its own.
        host: address to listen on.
        port: port; 0 is a free one.
        flag: option by which another port is chosen, for the error.
        name: of the thread.
        **options: see `websockets.sync.server.serve`.

    Attributes:
        port: port it listens on.

    Raises:
        DeviceConnectionError: nothing can listen there.
    """

    def __init__(
        self, handle: Callable[[ServerConnection], None], host: str, port: int, *, flag: str, name: str, **options: Any
    ) -> None:
        try:
            self._server: Server = serve(handle, host, port, compression=None, logger=SILENT, **options)
        except OSError as error:
            raise DeviceConnectionError(
                f"nothing can listen on {host}:{port}: {error}.", hint=f"Choose another {flag}."
            ) from error
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._thread.join()
