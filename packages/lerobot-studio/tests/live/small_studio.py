"""A studio of these two rooms: in a thread, or (run as a program) in a process that a test may kill."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from lerobot.core.errors import LeRobotError
from lerobot.studio.live.commands import serve_commands
from lerobot.studio.live.live import Live
from lerobot.studio.live.routes import routes

PATIENCE_S = 60.0


def wait_for(found: Callable[[], Any], what: str) -> Any:
    """Wait until `found` gives something true, and give that."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return value


def make_app(live: Live) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.live = live
        async with serve_commands(live) as port:
            app.state.command_port = port
            yield

    return Starlette(routes=routes(), lifespan=lifespan)


class ThreadStudio:
    """Serves until the block ends.

    Attributes:
        words: what pages wrote for the control files of runs.
    """

    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []
        self.live = Live(self._write)
        self.app = make_app(self.live)
        config = uvicorn.Config(
            self.app, port=0, ws="websockets-sansio", http="h11", ws_max_size=65536, log_config=None, access_log=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def _write(self, run: str, word: str) -> None:
        if run == "gone":
            raise LeRobotError("the run gone has ended.")
        self.words.append((run, word))

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: self._server.started, "the studio serves")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    @property
    def port(self) -> int:
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    @property
    def command_port(self) -> int:
        return int(self.app.state.command_port)

    def start(self, run: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of a run."""
        environment = {**os.environ, **self.live.environment(run)}
        return start_command(environment, *arguments)


def start_command(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start `lerobot ...` in a session of its own, as the studio does; what it says goes to the test's output."""
    return subprocess.Popen(
        [sys.executable, "-m", "lerobot_cli", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def main() -> None:
    live = Live(lambda run, word: None)
    config = uvicorn.Config(make_app(live), port=int(sys.argv[1]), ws="websockets-sansio", log_config=None)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
