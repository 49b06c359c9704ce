"""The Hub's own client against a stand-in of the Hub here: cut downloads, and files that are not the Hub's."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

COMMIT = "c" * 40
MESH = "assets/scenes/table/table.msh"
FILES = {MESH: bytes(range(256)) * 48_000, "assets/scenes/style.xml": b"<mujoco/>"}
"""12 MB that go through the large file storage, for the client keeps what came in pieces of 10; and a small file."""

FIND = "from lerobot.libero.assets import find_assets; print(find_assets())"


class Hub(BaseHTTPRequestHandler):
    """Answers what a download asks, once with less or with other content than it says."""

    protocol_version = "HTTP/1.1"
    sent: dict[str, bytes]
    cut: dict[str, int]
    asked: list[tuple[str, str]]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, body: bytes, status: int = 200, *, sent: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:sent])

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append((f"{self.command} {path}", self.headers.get("Range", "")))
        name = "datasets/lerobot/libero-assets"
        if match := re.fullmatch(f"/{name}/resolve/{COMMIT}/(.+)", path):
            return self.file(match[1])
        tree = [entry(path, content) for path, content in FILES.items()]
        known = {
            f"/api/{name}/revision/main": {"id": "lerobot/libero-assets", "sha": COMMIT, "siblings": []},
            f"/api/{name}/tree/{COMMIT}": tree,
        }
        listing = {**known, f"/api/{name}/revision/{COMMIT}": known[f"/api/{name}/revision/main"]}
        listing[f"/api/{name}/revision/main"]["siblings"] = [{"rfilename": each} for each in FILES]
        if path not in listing:
            return self.answer(b"{}", 404)
        return self.answer(json.dumps(listing[path]).encode())

    do_HEAD = do_GET

    def file(self, path: str) -> None:
        said, content = entry(path, FILES[path]), self.sent.get(path, FILES[path])
        etag = f'"{said.get("lfs", said)["oid"]}"'
        headers = {"ETag": etag, "X_Repo_Commit": COMMIT, "Accept_Ranges": "bytes"}
        if "lfs" in said:
            headers |= {"X_Linked_Etag": etag, "X_Linked_Size": str(len(content))}
        begin = int(match[1]) if (match := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
        if begin:
            headers["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        sent = self.cut.pop(path, None) if self.command == "GET" else None
        self.close_connection = sent is not None
        self.answer(content[begin:], 206 if begin else 200, sent=sent, **headers)


def entry(path: str, content: bytes) -> dict[str, Any]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    large = {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}}
    return {"type": "file", "path": path, "size": len(content), "oid": blob} | (large if path == MESH else {})


@pytest.fixture
def hub() -> Iterator[type[Hub]]:
    state = type("BoundHub", (Hub,), {"sent": {}, "cut": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), state)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def find(hub: Any, home: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, for the client reads its settings when it is imported."""
    unset = {"HF_HUB_OFFLINE", "LEROBOT_LIBERO_ASSETS", "HF_HUB_CACHE"}
    environment = {
        **{key: value for key, value in os.environ.items() if key not in unset},
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.port}",
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", FIND], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_download_that_broke_off_goes_on_where_it_was(hub: Any, tmp_path: Path) -> None:
    hub.cut[MESH] = 11_000_000
    done = find(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    assert (folder.name, (folder / "scenes/table/table.msh").read_bytes()) == ("assets", FILES[MESH])
    ranges = [said for request, said in hub.asked if request.startswith("GET") and request.endswith("table.msh")]
    assert len(ranges) == 2
    resumed = int(re.match(r"bytes=(\d+)-", ranges[1])[1])
    assert 0 < resumed <= 11_000_000
    del hub.asked[:]
    again = find(hub, tmp_path)
    assert again.stdout == done.stdout
    assert not [request for request, _ in hub.asked if request.startswith("GET") and "resolve" in request]


def test_a_file_that_is_not_the_hubs_is_named_and_fetched_anew(hub: Any, tmp_path: Path) -> None:
    """Of the same length, which is all that the Hub's client compares."""
    hub.sent[MESH] = bytes(len(FILES[MESH]))
    failed = find(hub, tmp_path)
    assert failed.returncode != 0
    assert "table.msh is not the file of lerobot/libero-assets" in failed.stderr
    del hub.sent[MESH]
    done = find(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.splitlines()[-1]) / "scenes/table/table.msh").read_bytes() == FILES[MESH]
