"""Hosts in threads of this process."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.remote.wire.config import ListenOptions
from lerobot.remote.wire.server import WireServer

sys.path.append(str(Path(__file__).parent))


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


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:
        yield lambda host, options=None: stack.enter_context(Running(host, options))
