"""Who is let in."""

import http.client
import random
import socket
from pathlib import Path

import pytest
from studio_client import TOKEN, Studio
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.studio.access import LARGEST_BODY
from lerobot.studio.command import own_token, read_token
from lerobot.studio.commands.studio import StudioConfig


def test_a_page_needs_the_token(studio: Studio) -> None:
    cookie = studio.headers.pop("Cookie")
    assert studio.get("/").status == 401
    for query in ("token=wrong", "token=", "token=%FF", f"xtoken={TOKEN}", "&".join(f"a{n}=1" for n in range(2000))):
        assert studio.get(f"/?{query}").status == 401, query
    assert studio.ask("GET", "/", Cookie=cookie[:-1]).status == 401
    assert studio.ask("GET", "/", Cookie="a=b; ;;=\x80").status == 401
    assert studio.ask("GET", "/", Cookie=cookie).status == 200
    assert studio.ask("GET", "/static/studio.css").status == 401


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address(studio: Studio) -> None:
    studio.headers.clear()
    answer = studio.get(f"/commands?token={TOKEN}")
    assert "url=/commands" in answer.text
    assert TOKEN not in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_the_token_leads_to_no_other_address(studio: Studio) -> None:
    assert 'url=/evil.example/"' in studio.get(f"//evil.example/?token={TOKEN}").text


def test_a_name_that_points_here_is_no_address_of_the_studio(studio: Studio) -> None:
    for host in ["evil.example:{port}", "127.0.0.1.evil.example", "evil@127.0.0.1", "", "[::1", "0.0.0.0"]:
        assert studio.ask("GET", "/", Host=host.format(port=studio.port) or " ").status in {400, 421}, host


def test_names_of_this_computer_and_tunnels_are(studio: Studio) -> None:
    for host in (f"localhost:{studio.port}", "127.0.0.1:9000", f"[::1]:{studio.port}", "LOCALHOST"):
        assert studio.ask("GET", "/", Host=host).status == 200, host


def test_only_own_pages_change_anything(studio: Studio) -> None:
    for origin in ("", "null", "http://evil.example", f"https://127.0.0.1:{studio.port}", "http://127.0.0.1:1"):
        assert studio.ask("POST", "/runs/remove", Origin=origin).status == 403, origin
    assert studio.post("/runs/remove").status == 303


def test_a_websocket_needs_token_and_origin(studio: Studio) -> None:
    for headers, origin in (({}, studio.origin), (studio.headers, "http://evil.example"), (studio.headers, None)):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{studio.port}/live", origin=origin, additional_headers=headers)
        assert refused.value.response.status_code == 403


def test_what_is_too_large_is_refused_while_it_is_read(studio: Studio) -> None:
    assert studio.ask("POST", "/record", b"x" * (LARGEST_BODY + 1), Origin=studio.origin).status == 413
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=20)
    try:
        headers = {"Origin": studio.origin, **studio.headers}
        chunks = (b"x" * 32_768 for _ in range(9))
        connection.request("POST", "/record", chunks, headers, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 413
    finally:
        connection.close()


def test_no_path_leads_out(studio: Studio) -> None:
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/run/../../etc/passwd",
        "/run/..%2f..%2fx/log.txt",
        "/command/..%2f..%2fx",
    ):
        answer = studio.get(path)
        assert answer.status in {400, 404}, path
        assert "Starlette" not in answer.text


def test_every_answer_forbids_what_the_pages_do_not_need(studio: Studio) -> None:
    for answer in (studio.get("/"), studio.get("/nothing"), studio.ask("GET", "/", Cookie="x")):
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_garbage_ends_a_connection_and_nothing_else(studio: Studio) -> None:
    garbage = random.Random(1)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", studio.port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" * garbage.randrange(2) + garbage.randbytes(200) + b"\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert studio.get("/").status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_every_address_at_once_is_none_to_listen_on(host: str) -> None:
    with pytest.raises(ConfigError, match="one address"):
        load(StudioConfig, [f"--host={host}"])


def test_a_token_is_private_kept_and_long_enough(tmp_path: Path) -> None:
    file = tmp_path / "studio" / "token"
    token = own_token(file)
    assert own_token(file) == token
    assert len(token) > 40
    assert file.stat().st_mode & 0o777 == 0o600
    for text in ("short", "with a space in it somewhere", "ümlaut" * 5, ""):
        file.write_text(text)
        with pytest.raises(ConfigError, match="token_file"):
            read_token(file)
