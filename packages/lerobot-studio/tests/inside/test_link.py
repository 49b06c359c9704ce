"""A studio that is away gets the newest of everything, and no more events than it can read."""

import json
import socket
from pathlib import Path
from typing import Any

from lerobot.studio.inside.link import MOST_EVENTS, Link
from lerobot.studio.inside.wire import HEAD, json_frame, proof


class Listener:
    """A studio that only listens."""

    def __init__(self, file: Path) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(20)
        file.write_text(json.dumps({"port": self._server.getsockname()[1], "token": "token"}))

    def accept(self) -> None:
        self.connection, _ = self._server.accept()
        self.connection.settimeout(20)
        self.stream = self.connection.makefile("rb")
        self.connection.sendall(json_frame({"type": "challenge", "nonce": "n"}))
        hello = self.read()
        assert hello["proof"] == proof("token", "command", "n")
        self.connection.sendall(json_frame({"type": "welcome", "proof": proof("token", "studio", hello["nonce"])}))
        assert self.read()["type"] == "facts"

    def read(self) -> dict[str, Any]:
        length, _ = HEAD.unpack(self.stream.read(HEAD.size))
        return dict(json.loads(self.stream.read(length)))

    def hang_up(self) -> None:
        self.stream.close()
        self.connection.close()

    def close(self) -> None:
        self.hang_up()
        self._server.close()


def test_newest_wins_events_are_kept_and_a_lost_studio_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "studio.json"
    link = Link(file, "run")
    for number in range(MOST_EVENTS + 50):
        link.put("tick", json_frame({"type": "tick", "number": number}))
        link.tell({"type": "metrics", "step": number})
    link.start()
    listener = Listener(file)
    listener.accept()
    told = [listener.read() for _ in range(MOST_EVENTS + 1)]
    assert told[0] == {"type": "tick", "number": MOST_EVENTS + 49}
    assert [each["step"] for each in told[1:]] == list(range(50, MOST_EVENTS + 50))

    listener.connection.sendall(json_frame({"type": "watch", "active": True, "cameras": ["front"], "width": 320}))
    listener.connection.sendall(json_frame({"type": "jog", "time_s": 5.0, "keys": {"a": 0.5}}))
    link.tell({"type": "metrics", "step": 0})
    assert listener.read()["step"] == 0
    listener.hang_up()
    listener.accept()
    assert link.jog == (5.0, {"a": 0.5})
    assert link.watch is None, "a studio says anew what its pages show"
    link.tell({"type": "run_end"})
    assert listener.read() == {"type": "run_end"}
    link.close()
    listener.close()
