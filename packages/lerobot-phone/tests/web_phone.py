"""What the page sends, without the page."""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect


def pose(move: bool = False, x: float = 0.0, y: float = 0.0, z: float = 0.0, **data: Any) -> dict[str, Any]:
    """A message with a pose in WebXR's frame: x to the right, y up, z back."""
    orientation = data.pop("orientation", {"x": 0, "y": 0, "z": 0, "w": 1})
    position = {"x": x, "y": y, "z": z}
    return {"type": "pose", "data": {"move": move, "position": position, "orientation": orientation, **data}}


class WebPhone:
    """The page's connection; a context manager.

    Args:
        url: the page's address.
        tls: what is trusted.
        origin: what a browser says the page comes from; None as programs do.
    """

    def __init__(self, url: str, tls: ssl.SSLContext, origin: str | None = None) -> None:
        self._url = url.replace("https://", "wss://").replace("/?", "/ws?")
        self._tls = tls
        self._origin: Any = origin
        self.connection: ClientConnection

    def __enter__(self) -> Self:
        self._opened = connect(self._url, ssl=self._tls, origin=self._origin, compression=None)
        self.connection = self._opened.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._opened.__exit__(*exc_info)  # type: ignore[arg-type]

    def send(self, message: Any) -> None:
        """Send a message, or text that is none."""
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))


def until(settled: Callable[[], Any], within_s: float = 10.0) -> Any:
    """Wait until something is true, and give it."""
    end = time.monotonic() + within_s
    while not (value := settled()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
    return value
