"""Whoever says what is not of the protocol is disconnected with a reason; nobody else notices."""

import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from scripted_page import ScriptedPage, wait_for
from studio_client import Studio

from lerobot.studio.inside.link import Link
from lerobot.studio.inside.wire import HEAD, MAX_BYTES, frame, json_frame, proof
from lerobot.studio.live.live import Live, Page
from lerobot.studio.live.messages import from_command
from lerobot.studio.live.routes import hear

Opening = Callable[[str], ScriptedPage]

GOOD = [
    {"type": "alive", "n": 1},
    {"type": "take_control"},
    {"type": "jog", "run": "r", "keys": {"a.pos": 0.5}, "t": 1.0},
    {"type": "word", "run": "r", "word": "next"},
    {"type": "watch", "run": "r", "cameras": ["front"], "width": 640},
    {"type": "hello", "page": "page-0001"},
    {"type": "tick", "index": 3},
    {"type": "facts", "pid": 1},
]
ODD: list[Any] = [None, True, -1, 1e308, float("nan"), float("inf"), 10**400, "", "\0", "a" * 5000, "<script>", [], {}]


def malformed(draw: random.Random) -> str:
    """A message that is a little, or entirely, wrong; seldom it is right."""
    kind = draw.randrange(6)
    if kind == 0:
        return "".join(chr(draw.randrange(1, 0xD7FF)) for _ in range(draw.randrange(60)))
    text = json.dumps(changed(dict(draw.choice(GOOD)), draw))
    if kind == 1:
        return text[: draw.randrange(len(text))]
    if kind == 2:
        return "[" * draw.randrange(3000) + text
    if kind == 3:
        at = draw.randrange(len(text))
        return text[:at] + chr(draw.randrange(1, 255)) + text[at + 1 :]
    return text


def changed(message: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    key = draw.choice([*message, "extra"])
    if draw.random() < 0.2:
        message.pop(key, None)
    else:
        message[key] = draw.choice(ODD)
    return message


def test_10000_malformed_messages_of_pages_and_commands_raise_nothing_else(lerobot_home: object) -> None:
    draw = random.Random(0)
    refused = 0

    async def hear_all() -> None:
        nonlocal refused
        live = Live(lambda run, word: None)
        page = Page("page-0001")
        live.enter(page)
        for _ in range(10_000):
            text = malformed(draw)
            page.outbox.full = False
            try:
                hear(live, page, text)
            except ValueError:
                refused += 1
            try:
                from_command(text.encode("utf-8", "surrogatepass"))
            except ValueError:
                refused += 1

    asyncio.run(hear_all())
    assert refused > 15_000


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "{}",
        '{"type": "hello", "page": "page-0001"}',
        '{"type": "jog"}',
        b"bytes",
        "x" * 20_000,
        "[" * 10_000,
    ],
)
def test_a_page_that_is_malformed_is_closed_with_a_reason(
    studio: Studio, open_page: Opening, content: str | bytes
) -> None:
    other, page = open_page("page-0001"), open_page("page-0002")
    page.wait("state")
    page.send_raw(content)
    wait_for(lambda: page.closed, "closed")
    assert page.closed is not None
    code, reason = page.closed
    assert code == 4002
    assert reason
    again = open_page("page-0002")
    assert again.wait("state")["control"] == "other"
    assert other.closed is None


class RawCommand:
    """Somebody at the socket for commands."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> "RawCommand":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stream.close()
        self.socket.close()

    def read(self) -> dict[str, Any]:
        length, _ = HEAD.unpack(self.stream.read(HEAD.size))
        return dict(json.loads(self.stream.read(length)))

    def enter(self, token: str, run: str = "raw") -> "RawCommand":
        answer = proof(token, "command", self.read()["nonce"])
        self.socket.sendall(json_frame({"type": "hello", "run": run, "proof": answer, "nonce": "n"}))
        assert self.read()["proof"] == proof(token, "studio", "n")
        self.socket.sendall(json_frame({"type": "facts", "pid": 1, "command": "teleoperate", "robot": "arm"}))
        return self

    def is_closed(self) -> bool:
        try:
            while self.stream.read1(65536):
                pass
        except ConnectionResetError:
            pass
        return True


def test_a_command_without_the_token_is_closed(studio: Studio) -> None:
    with RawCommand(studio.app.state.live.port) as command:
        nonce = command.read()["nonce"]
        wrong = proof("guess", "command", nonce)
        command.socket.sendall(json_frame({"type": "hello", "run": "raw", "proof": wrong, "nonce": "n"}))
        assert command.is_closed()
    assert not studio.app.state.live.commands


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 5,
        HEAD.pack(MAX_BYTES + 1, ord("J")),
        HEAD.pack(2, ord("X")) + b"{}",
        frame(ord("J"), b"{}"),
        frame(ord("J"), b"[" * 100_000),
        frame(ord("J"), b'{"type": "tick", "value": NaN}'),
        frame(ord("J"), b'{"type": "hello", "run": "raw", "proof": "", "nonce": ""}'),
        frame(ord("P"), b""),
        frame(ord("P"), struct.pack(">H", 60_000) + b"{}"),
        frame(ord("P"), struct.pack(">H", 58) + b'{"run":"other","camera":"front","age_s":0.0,"stamp":1.0}  '),
    ],
)
def test_a_command_that_is_malformed_is_closed_and_others_go_on(
    studio: Studio, open_page: Opening, content: bytes
) -> None:
    page = open_page("page-0001")
    with RawCommand(studio.app.state.live.port).enter(studio.app.state.live.token, "good") as good:
        with RawCommand(studio.app.state.live.port).enter(studio.app.state.live.token, "bad") as bad:
            page.wait("state", lambda state: len(state["runs"]) == 2)
            bad.socket.sendall(content)
            assert bad.is_closed()
        page.wait("state", lambda state: [each["run"] for each in state["runs"]] == ["good"])
        good.socket.sendall(json_frame({"type": "metrics", "step": 7, "metrics": {}}))
        assert page.wait("metrics") == {"type": "metrics", "step": 7, "metrics": {}, "run": "good"}


def test_half_a_frame_and_then_nothing_leaves_no_command_behind(studio: Studio) -> None:
    with RawCommand(studio.app.state.live.port).enter(studio.app.state.live.token) as command:
        wait_for(lambda: studio.app.state.live.commands and studio.app.state.live.commands[0].facts, "it is there")
        command.socket.sendall(json_frame({"type": "metrics"})[:7])
    wait_for(lambda: not studio.app.state.live.commands, "it is gone")


def test_a_link_tells_nothing_to_whoever_took_the_port_of_a_studio(tmp_path: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        file = tmp_path / "studio.json"
        file.write_text(json.dumps({"port": server.getsockname()[1], "token": "secret"}))
        link = Link(file, "run")
        link.start()
        connection, _ = server.accept()
        with connection:
            connection.sendall(json_frame({"type": "challenge", "nonce": "n"}))
            heard = connection.recv(65536)
            connection.sendall(json_frame({"type": "welcome", "proof": proof("guess", "studio", "n")}))
            connection.sendall(json_frame({"type": "jog", "time_s": time.monotonic(), "keys": {"a": 1.0}}))
            while part := connection.recv(65536):
                heard += part
        link.close()
    assert b"secret" not in heard
    assert link.jog == (0.0, {})


def test_a_slow_page_gets_the_newest_and_one_that_never_reads_is_let_go() -> None:
    async def fill() -> list[bytes | str]:
        page = Page("page-0001")
        for number in range(1000):
            page.outbox.put(f"tick {number}", "tick r")
            page.outbox.put(b"picture %d" % number, "picture front")
        page.outbox.put("event")
        taken: list[bytes | str] = []
        async for content in page.outbox.take():
            taken.append(content)
            if len(taken) == 3:
                break
        for number in range(600):
            page.outbox.put(f"event {number}")
        assert page.outbox.full
        return taken

    assert asyncio.run(fill()) == ["tick 999", b"picture 999", "event"]
