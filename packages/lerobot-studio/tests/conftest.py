"""A studio that runs in this process, for every test that asks for one."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages

import socket

import pytest
import uvicorn
from studio_client import TOKEN, Studio

from lerobot.studio.app import make_app


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio with a home of its own, and somebody who opened its page; its runs are ended afterwards."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = make_app(tmp_path / "studio", TOKEN, "127.0.0.1", port)
        server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="websockets-sansio", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        page = Studio(app, tmp_path, port)
        try:
            cookie = page.get(f"/?token={TOKEN}").headers["set-cookie"]
            page.headers["Cookie"] = cookie.partition(";")[0]
            yield page
        finally:
            for run in app.state.runs.running():
                run.interrupt()
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
