"""What of the Hub's HTTP API an upload needs, on this computer and in memory."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    """Takes repositories, files and tags; `files` and `tags` hold them by `kind/owner/name`."""

    files: dict[str, dict[str, bytes]]
    tags: dict[str, list[str]]
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: object = None) -> None:
        data = json.dumps({} if body is None else body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def chunks(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()

    def respond(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else b"".join(self.chunks())
        path = unquote(urlsplit(self.path).path)
        if path == "/api/whoami-v2":
            return self.answer(200, {"name": "me", "type": "user", "orgs": []})
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        match = re.fullmatch(r"/api/(datasets|models)/([^/]+/[^/]+)(?:/([\w-]+)(?:/.*)?)?", path)
        if not match or (place := f"{match[1]}/{match[2]}") not in self.files:
            return self.answer(404, {"error": f"nothing at {self.command} {path}"})
        return self.repository(place, match[3] or "info", body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = respond

    def create(self, asked: dict[str, str]) -> None:
        kind = f"{asked.get('type') or 'model'}s"
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        self.files.setdefault(f"{kind}/{name}", {})
        self.answer(200, {"url": self.url(f"{kind}/{name}")})

    def url(self, place: str) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host}:{port}/{place.removeprefix('models/')}"

    def repository(self, place: str, what: str, body: bytes) -> None:
        files = self.files[place]
        if what == "preupload":
            asked = json.loads(body)["files"]
            regular = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            return self.answer(200, {"files": [{"path": each["path"], **regular} for each in asked]})
        if what == "commit":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            commit = "1" * 40
            url = f"{self.url(place)}/commit/{commit}"
            return self.answer(200, {"success": True, "commitOid": commit, "commitUrl": url})
        if what == "tag" and self.command == "POST":
            self.tags.setdefault(place, []).append(json.loads(body)["tag"])
            return self.answer(200)
        if what == "refs":
            main = {"name": "main", "ref": "refs/heads/main", "targetCommit": "1" * 40}
            return self.answer(200, {"branches": [main], "tags": [], "converts": []})
        if what in {"tree", "paths-info"}:
            return self.answer(200, [])
        return self.answer(200, {"id": place.partition("/")[2], "sha": "1" * 40, "siblings": [], "tags": []})


@contextmanager
def hub() -> Iterator[tuple[str, type[Handler]]]:
    """Run the stand-in; gives its address and what it holds."""
    bound: type[Handler] = type("Bound", (Handler,), {"files": {}, "tags": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bound
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
