"""The check of built wheels against an index, tried on an index of our own on the loopback interface."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from check_index import SIMPLE_JSON, compared, main

from lerobot.core.distributions.ownership import SOURCE


class Index:
    """An index that serves what it is told to."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = pages.get(self.path)
                self.send_response(200 if text is not None else 404)
                self.send_header("Content-Type", SIMPLE_JSON)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"

    def serve(self, name: str, *files: dict[str, object]) -> None:
        rows = [{"url": f"../../files/{file['filename']}", "hashes": {}, **file} for file in files]
        self.pages[f"/simple/{name}/"] = json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": rows})

    def describe(self, filename: str, source: str) -> None:
        self.pages[f"/files/{filename}.metadata"] = f"Name: x\nVersion: 1\nProject-URL: Source, {source}\n"


@pytest.fixture
def index() -> Iterator[Index]:
    index = Index()
    thread = threading.Thread(target=index.server.serve_forever)
    thread.start()
    yield index
    index.server.shutdown()
    thread.join()
    index.server.server_close()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "lerobot_toaster-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lerobot/toaster/__init__.py", "")
    return path


def test_a_name_that_nobody_has_gives_nothing(index: Index, wheel: Path) -> None:
    assert compared(wheel, index.url).verdict == "nothing"
    index.serve("lerobot-toaster", {"filename": "lerobot_toaster-0.0.1-py3-none-any.whl", "yanked": True})
    assert compared(wheel, index.url).verdict == "nothing"


def test_our_own_file_is_known_by_its_contents(index: Index, wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    old = {"filename": "lerobot_toaster-0.1.0.tar.gz"}
    index.serve("lerobot-toaster", old, {"filename": wheel.name, "hashes": {"sha256": digest}})
    assert compared(wheel, index.url).verdict == "ours"
    index.serve("lerobot-toaster", old, {"filename": wheel.name, "hashes": {"sha256": "0" * 64}})
    assert compared(wheel, index.url).verdict == "NOT OURS"


@pytest.mark.parametrize(("source", "verdict"), [(SOURCE, "ours"), ("https://example.org/x", "NOT OURS")])
def test_another_version_is_known_by_the_source_it_states(index: Index, wheel: Path, source: str, verdict: str) -> None:
    served = "lerobot_toaster-0.10.0-py3-none-any.whl"
    index.serve("lerobot-toaster", {"filename": wheel.name}, {"filename": served, "core-metadata": True})
    index.describe(served, source)
    assert compared(wheel, index.url).verdict == verdict


def test_a_version_that_says_nothing_is_not_ours(index: Index, wheel: Path) -> None:
    index.serve("lerobot-toaster", {"filename": "lerobot_toaster-9.0.tar.gz"})
    assert compared(wheel, index.url).verdict == "NOT OURS"


def test_it_fails_where_somebody_else_has_a_name(index: Index, wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(index.url, str(wheel.parent)) == 0
    index.serve("lerobot-toaster", {"filename": "lerobot_toaster-9.0.tar.gz"})
    assert main(index.url, str(wheel.parent)) == 1
    assert "1 names, 1 that somebody else has" in capsys.readouterr().out
