"""A host in a thread of this process."""

import threading
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.remote.wire.config import ListenOptions
from lerobot.remote.wire.server import WireServer


class Running:
    """A host that runs in a thread.

    Args:
        host: has `handle(link)` and `run(stop)`.
        options: where it listens; any free port of this computer.
    """

    def __init__(self, host: Any, options: ListenOptions | None = None) -> None:
        self.host = host
        self.failure: LeRobotError | None = None
        self._stop = threading.Event()
        self._server = WireServer(options or ListenOptions(port=0), host.handle)
        self._thread = threading.Thread(target=self._run)

    @property
    def address(self) -> str:
        return self._server.address

    def _run(self) -> None:
        try:
            self.host.run(self._stop)
        except LeRobotError as error:
            self.failure = error

    def __enter__(self) -> "Running":
        self._server.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
        self._server.__exit__()
