"""A studio that runs in this process, and a browser that is only its requests."""

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True)
class Answer:
    """What the studio answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def run(self) -> str:
        """Id of the run that was started."""
        assert self.status == 303, self.text
        return self.headers["location"].removeprefix("/run/")


@dataclass
class Studio:
    """A studio and somebody who uses it.

    Attributes:
        app: the application, whose state a test may look into; None if it runs elsewhere.
        home: folder of everything the studio and its commands keep.
        port: it listens on.
        headers: that go along with every request.
    """

    app: Any
    home: Path
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send one request; headers whose value is empty are left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**self.headers, **named}.items() if value}
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, fields: Mapping[str, str] | Sequence[tuple[str, str]] = (), **headers: str) -> Answer:
        return self.ask("POST", path, urlencode(fields).encode(), Origin=self.origin, **headers)
