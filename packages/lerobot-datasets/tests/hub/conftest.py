"""A stand-in of the Hub: its HTTP API on this computer, in memory, for the real client in a process of its own."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

LARGE = (".parquet", ".mp4")
"""Files that go through the large file storage."""


@dataclass
class Repository:
    commits: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"0" * 40: {}})
    branches: dict[str, str] = field(default_factory=lambda: {"main": "0" * 40})
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = False
    downloads: int = 0
    card_tags: list[str] = field(default_factory=list)

    def resolve(self, revision: str) -> str | None:
        name = unquote(revision)
        return name if name in self.commits else self.branches.get(name) or self.tags.get(name)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return self.commits[self.resolve(revision) or ""]

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        content = {path: hashlib.sha1(data).hexdigest() for path, data in sorted(files.items())}
        oid = hashlib.sha1(json.dumps([content, self.branches.get(branch)]).encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid


@dataclass
class StandIn:
    """State of the stand-in, and what tests make it do wrong."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    """Bytes after which the next download of a file breaks off, by the end of its path."""
    refuse: dict[str, int] = field(default_factory=dict)
    """How many further requests whose path holds this text fail."""
    refusal: int = 500
    """With which status."""
    pause_s: float = 0.0
    """How long every answer is waited for."""

    def add(self, name: str, downloads: int, card_tags: list[str]) -> None:
        self.repositories[name] = Repository(downloads=downloads, card_tags=card_tags)

    def asked(self, method: str, part: str) -> list[dict[str, str]]:
        return [headers for verb, path, headers in self.requests if verb == method and part in path]


class Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.get("Content_Length", str(len(data))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, code: str) -> None:
        self.answer(404, {"error": code}, X_Error_Code=code, X_Error_Message=code)

    def handle_request(self) -> None:
        path = urlsplit(self.path).path
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size) if size else b"".join(self.chunks())
        self.hub.requests.append((self.command, path, dict(self.headers)))
        time.sleep(self.hub.pause_s)
        for part, times in self.hub.refuse.items():
            if part in path and times > 0:
                self.hub.refuse[part] -= 1
                return self.answer(self.hub.refusal, {"error": "broken on purpose"})
        for method, pattern, function in ROUTES:
            if self.command in method and (match := re.fullmatch(pattern, path)):
                parts = [unquote(part or "") for part in match.groups()]
                return function(self, *parts)
        return self.answer(404, {"error": f"no route for {self.command} {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request

    def chunks(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()

    def revision(self, name: str, revision: str) -> tuple[Repository, str] | None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            self.refuse("RepoNotFound")
            return None
        if (commit := repository.resolve(revision)) is None:
            self.refuse("RevisionNotFound")
            return None
        return repository, commit

    # --- repositories ------------------------------------------------------------------------------------------------

    def create(self) -> None:
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        found = name in self.hub.repositories
        if not found:
            self.hub.repositories[name] = Repository(
                private=asked.get("visibility") == "private" or bool(asked.get("private"))
            )
        self.answer(409 if found else 200, {"url": f"{self.endpoint}/datasets/{name}"})

    @property
    def endpoint(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host}:{port}"

    def info(self, name: str, revision: str) -> None:
        if found := self.revision(name, revision or "main"):
            repository, commit = found
            siblings = [{"rfilename": path} for path in repository.commits[commit]]
            body = {"id": name, "sha": commit, "private": repository.private, "siblings": siblings, "tags": []}
            self.answer(200, body)

    def search(self) -> None:
        asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        rows = [
            {
                "id": name,
                "downloads": repository.downloads,
                "likes": 2,
                "lastModified": "2026-05-04T03:02:01.000Z",
                "tags": repository.card_tags,
            }
            for name, repository in self.hub.repositories.items()
            if asked.get("search", "") in name
            and name.startswith(asked.get("author", ""))
            and asked.get("filter") in (None, *repository.card_tags)
        ]
        rows.sort(key=lambda row: -int(row[asked.get("sort", "downloads")]))
        self.answer(200, rows[: int(asked.get("limit", 100))])

    def refs(self, name: str) -> None:
        if found := self.revision(name, "main"):
            kinds = {"branches": ("heads", found[0].branches), "tags": ("tags", found[0].tags)}
            body = {
                kind: [{"name": key, "ref": f"refs/{ref}/{key}", "targetCommit": oid} for key, oid in names.items()]
                for kind, (ref, names) in kinds.items()
            }
            self.answer(200, {**body, "converts": []})

    def tag(self, name: str, text: str) -> None:
        repository = self.hub.repositories[name]
        if self.command == "DELETE":
            return self.answer(200) if repository.tags.pop(text, None) else self.refuse("RevisionNotFound")
        tag = json.loads(self.body)["tag"]
        if tag in repository.tags:
            return self.answer(409)
        repository.tags[tag] = repository.resolve(text) or ""
        return self.answer(200)

    def branch(self, name: str, branch: str) -> None:
        repository = self.hub.repositories[name]
        known = branch in repository.branches
        repository.branches.setdefault(branch, repository.branches["main"])
        self.answer(409 if known else 200)

    def tree(self, name: str, revision: str, folder: str) -> None:
        if found := self.revision(name, revision):
            files = found[0].commits[found[1]]
            self.answer(200, [self.entry(path, data) for path, data in files.items() if path.startswith(folder)])

    def paths_info(self, name: str, revision: str) -> None:
        if found := self.revision(name, revision):
            files = found[0].commits[found[1]]
            paths = json.loads(self.body)["paths"]
            self.answer(200, [self.entry(path, files[path]) for path in paths if path in files])

    @staticmethod
    def entry(path: str, data: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": blob_id(data)}
        if path.endswith(LARGE):
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry

    # --- uploads -----------------------------------------------------------------------------------------------------

    def preupload(self, name: str, revision: str) -> None:
        files = self.hub.repositories[name].files(revision)
        answers = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
                "oid": self.entry(file["path"], files[file["path"]])["oid"] if file["path"] in files else None,
            }
            for file in json.loads(self.body)["files"]
        ]
        self.answer(200, {"files": answers})

    def lfs_batch(self, name: str) -> None:
        objects = [
            {**file}
            if file["oid"] in self.hub.stored
            else {**file, "actions": {"upload": {"href": f"{self.endpoint}/storage/{file['oid']}"}}}
            for file in json.loads(self.body)["objects"]
        ]
        self.answer(200, {"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.hub.stored[oid] = self.body
        self.answer(200)

    def commit(self, name: str, revision: str) -> None:
        repository = self.hub.repositories[name]
        files = dict(repository.files(revision))
        for line in self.body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.hub.stored[value["oid"]]
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        oid = repository.commit(revision, files)
        body = {"commitUrl": f"{self.endpoint}/datasets/{name}/commit/{oid}", "commitOid": oid, "success": True}
        self.answer(200, body)

    # --- downloads ---------------------------------------------------------------------------------------------------

    def download(self, name: str, revision: str, path: str) -> None:
        found = self.revision(name, revision)
        if found is None:
            return None
        repository, commit = found
        if path not in repository.commits[commit]:
            return self.refuse("EntryNotFound")
        data = repository.commits[commit][path]
        entry = self.entry(path, data)
        etag = entry.get("lfs", entry)["oid"]
        headers = {"ETag": f'"{etag}"', "X_Repo_Commit": commit, "Accept_Ranges": "bytes"}
        if "lfs" in entry:
            headers |= {"X_Linked_Etag": f'"{etag}"', "X_Linked_Size": str(len(data))}
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(start[1]) if start else 0
        if start:
            headers["Content_Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        part = data[begin:]
        cut = next((end for end in self.hub.cut if path.endswith(end)), None)
        if cut is not None and self.command == "GET":
            self.close_connection = True
            return self.answer(
                206 if start else 200, part[: self.hub.cut.pop(cut)], Content_Length=str(len(part)), **headers
            )
        if self.command == "HEAD":
            return self.answer(200, Content_Length=str(len(data)), **headers)
        return self.answer(206 if start else 200, part, **headers)


NAME = r"([^/]+/[^/]+)"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("GET", "/api/whoami-v2", lambda handler: handler.answer(200, {"name": "me", "type": "user", "orgs": []})),
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", lambda handler: handler.answer(200, {"errors": [], "warnings": []})),
    ("GET", "/api/datasets", Handler.search),
    ("GET", f"/api/datasets/{NAME}/refs", Handler.refs),
    ("POST DELETE", f"/api/datasets/{NAME}/tag/([^/]+)", Handler.tag),
    ("POST", f"/api/datasets/{NAME}/branch/([^/]+)", Handler.branch),
    ("POST", f"/api/datasets/{NAME}/preupload/([^/]+)", Handler.preupload),
    ("POST", f"/api/datasets/{NAME}/commit/([^/]+)", Handler.commit),
    ("POST", f"/api/datasets/{NAME}/paths-info/([^/]+)", Handler.paths_info),
    ("GET", f"/api/datasets/{NAME}/tree/([^/]+)(?:/(.*))?", Handler.tree),
    ("GET", f"/api/datasets/{NAME}(?:/revision/([^/]+))?", Handler.info),
    ("POST", rf"/datasets/{NAME}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    ("PUT", "/storage/([0-9a-f]+)", Handler.store),
    ("GET HEAD", f"/datasets/{NAME}/resolve/([^/]+)/(.+)", Handler.download),
]


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def start(state: StandIn) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": state}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@pytest.fixture
def hub() -> Iterator[StandIn]:
    state = StandIn()
    server = start(state)
    state.endpoint = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def client_process() -> Iterator["subprocess.Popen[str]"]:
    """See `client_process.py`."""
    command = [sys.executable, str(Path(__file__).with_name("client_process.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def client(hub: StandIn, tmp_path: Path, client_process: "subprocess.Popen[str]") -> Callable[..., SimpleNamespace]:
    """Run Python in a process that takes the stand-in for the Hub; the value of `result` comes back."""

    def run(code: str, **environment: str) -> Any:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "LEROBOT"))}
        settings = {
            "HF_ENDPOINT": hub.endpoint,  # type: ignore[attr-defined]
            "HF_HOME": str(tmp_path / "hf_home"),
            "HF_LEROBOT_HOME": str(tmp_path / "lerobot_home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_TOKEN": "hf_test",
            "no_proxy": "127.0.0.1",
            **environment,
        }
        answer, said = tmp_path / "answer.json", tmp_path / "said.txt"
        assert client_process.stdin is not None
        assert client_process.stdout is not None
        client_process.stdin.write(json.dumps([code, {**own, **settings}, str(answer), str(said)]) + "\n")
        client_process.stdin.flush()
        assert client_process.stdout.readline() == "0\n", said.read_text()
        return json.loads(answer.read_text())

    return run
