"""Visitors that the studio must not let in, and those that want to wear it out: it refuses them and goes on."""

import contextlib
import json
import random
import socket

import pytest
from raw_client import RawClient
from studio_process import Studio

pytestmark = pytest.mark.browser

UPGRADE = (
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Ignored: a\r\n"
)
REFUSED = {400, 401, 403, 404, 405, 409, 411, 413, 414, 415, 421, 422, 431}
PAGES = ("/", "/setup", "/teleoperate", "/record", "/datasets", "/train", "/evaluate", "/rollout", "/runs", "/commands")
CLOSE = 0x88
# Most it may grow by while it is worn out, MB.
GROWTH_MB = 25


@pytest.fixture
def visitor(studio: Studio) -> RawClient:
    """Somebody with the token."""
    return RawClient(studio).enter()


def require_alive(studio: Studio) -> None:
    """It still serves whoever has the token."""
    assert studio.is_running
    assert RawClient(studio).enter().ask("GET", "/").status == 200
    assert "Exception in ASGI" not in studio.log.read_text("utf-8")


@pytest.mark.parametrize("path", [*PAGES, "/live", "/command/record", "/static/studio.css", "/datasets/view?root=/"])
@pytest.mark.parametrize("cookie", ["", "token=wrong", "lerobot_studio=wrong"])
def test_without_the_token_there_is_nothing(studio: Studio, path: str, cookie: str) -> None:
    answer = RawClient(studio).ask("GET", path, cookie=cookie)
    assert answer.status in {401, 403}
    assert b"<form" not in answer.body


@pytest.mark.parametrize("token", ["", "wrong", "a" * 4000, "%00", "..%2f"])
def test_a_wrong_token_gets_no_cookie(studio: Studio, token: str) -> None:
    answer = RawClient(studio).ask("GET", f"/?token={token}")
    assert answer.status in {401, 403}
    assert "set-cookie" not in answer.headers


def test_the_cookie_is_for_this_browser_and_this_site_only(studio: Studio) -> None:
    parts = studio.address.removeprefix(studio.origin)
    cookie = RawClient(studio).ask("GET", parts).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("path", ["/stop", "/command/record"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"]
)
def test_another_site_cannot_act(studio: Studio, visitor: RawClient, path: str, origin: str) -> None:
    assert visitor.ask("POST", path, origin=origin).status in {400, 403}
    assert not (studio.home / "run" / "stop.json").exists()
    assert studio.runs() == {}


def test_another_site_cannot_listen(studio: Studio, visitor: RawClient) -> None:
    upgrade = UPGRADE + "Connection: Upgrade\r\n"
    for origin in ("http://evil.example", "null"):
        assert visitor.ask("GET", "/live", origin=origin, headers=upgrade).status in {400, 403}
    require_alive(studio)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "169.254.169.254"])
def test_another_name_of_this_computer_is_refused(visitor: RawClient, host: str) -> None:
    assert visitor.ask("GET", "/", host=host).status in {400, 403, 421}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/static/..\\..\\etc\\passwd",
        "/run/../../../etc/passwd",
        "/run/..%2f..%2frun%2fstudio.json",
        "/datasets/view?root=/etc",
        "/datasets/view?root=../../../etc",
        "/command/..%2f..%2fetc",
        "/static/studio.css%00.png",
    ],
)
def test_no_path_leads_out(studio: Studio, visitor: RawClient, path: str) -> None:
    answer = visitor.ask("GET", path)
    assert answer.status in REFUSED, answer
    assert b"root:" not in answer.body
    assert b"import " not in answer.body
    require_alive(studio)


def test_a_large_upload_is_refused(studio: Studio, visitor: RawClient) -> None:
    before = studio.memory_mb()
    for length in (10**7, 10**12, -1):
        answer = visitor.ask("POST", "/command/record", origin=studio.origin, body=b"x" * 10**7, length=length)
        assert answer.status in {0, 400, 413}
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answer = visitor.ask(
        "POST", "/command/record", origin=studio.origin, body=chunk * 40, headers="Transfer-Encoding: chunked\r\n"
    )
    assert answer.status in {0, 400, 413}
    require_alive(studio)
    assert studio.memory_mb() - before < GROWTH_MB


def test_malformed_requests(studio: Studio) -> None:
    draw = random.Random(27)
    client = RawClient(studio)
    for _ in range(200):
        with client.connect() as connection, contextlib.suppress(OSError):
            connection.sendall(draw.randbytes(draw.randrange(1, 400)))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)
    require_alive(studio)


def frame(draw: random.Random) -> bytes:
    """A WebSocket frame that no page sends: noise, or JSON that says nothing, too much, or what is not allowed."""
    said = draw.choice(
        [
            draw.randbytes(draw.randrange(1, 200)),
            json.dumps(
                draw.choice([None, [], {}, {"type": 1}, {"type": "jog"}, {"type": "word", "run": "../.."}])
            ).encode(),
            b'{"type":"jog","run":"x","t":1e999,"keys":{"a":NaN}}',
            b'{"type":"hello","page":"' + b"a" * draw.randrange(100, 60_000) + b'"}',
            b"[" * draw.randrange(1, 5000),
        ]
    )
    first = draw.choice([0x81, 0x81, 0x81, 0x82, 0xF1, 0x8B])
    size = bytes([0x80 | len(said)]) if len(said) < 126 else b"\xfe" + len(said).to_bytes(2, "big")
    return bytes([first]) + size + b"\0\0\0\0" + said


def await_close(connection: socket.socket) -> None:
    """Read frames until one says that the other side closes, or there are no more."""
    with connection.makefile("rb") as stream:
        while head := stream.read(2):
            if head[0] == CLOSE:
                return
            length = head[1] if head[1] < 126 else int.from_bytes(stream.read(2), "big")
            stream.read(length)


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_malformed_messages(studio: Studio, visitor: RawClient, count: int) -> None:
    """Each ends its own connection, whether it is the first word or comes after a proper one."""
    draw = random.Random(count)
    hello = b'{"type":"hello","page":"0123456789"}'
    before = studio.memory_mb()
    for _ in range(count):
        with visitor.connect() as connection, contextlib.suppress(ConnectionError):
            head = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nOrigin: {studio.origin}\r\n"
            connection.sendall(f"{head}Cookie: {visitor.cookie}\r\nConnection: Upgrade\r\n{UPGRADE}\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 101")
            if draw.random() < 0.5:
                connection.sendall(bytes([0x81, 0x80 | len(hello)]) + b"\0\0\0\0" + hello)
            connection.sendall(frame(draw))
            await_close(connection)
    require_alive(studio)
    assert studio.memory_mb() - before < GROWTH_MB


def test_connections_that_say_nothing(studio: Studio) -> None:
    client = RawClient(studio)
    with contextlib.ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(client.connect())
            if number % 2:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        require_alive(studio)
    require_alive(studio)
