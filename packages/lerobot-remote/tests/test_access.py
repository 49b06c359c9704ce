"""Who is let in: tokens, certificates, web pages."""

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lerobot.core.errors import ConfigError, DeviceConnectionError
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.core.loopback import is_loopback
from lerobot.remote.config import RemoteTeleoperatorConfig
from lerobot.remote.device.session import describe
from lerobot.remote.host.teleoperator import TeleoperatorHost
from lerobot.remote.wire.config import ConnectOptions, ListenOptions

TOKEN = "a-token-of-this-test-only"
OTHER = "another-token-of-this-test"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def guarded(serve, token: Path):
    return serve(TeleoperatorHost(FakeTeleoperatorConfig().build(), fps=30), ListenOptions(port=0, token_file=token))


def ask(address: str, **fields: Any) -> str:
    return describe(ConnectOptions(address=address, **fields), "teleoperator", "the arm").name


def test_the_token_opens(guarded, token: Path) -> None:
    assert ask(guarded.address, token_file=token) == "fake"


def test_a_wrong_or_missing_token_does_not(guarded, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(OTHER)
    for fields in ({}, {"token_file": wrong}):
        with pytest.raises(DeviceConnectionError, match="does not accept the token"):
            ask(guarded.address, **fields)


@pytest.mark.parametrize("scheme", ["Bearer", "Api-Key", "bearer"])
def test_openpi_clients_show_it_their_way(guarded, scheme: str) -> None:
    with connect(guarded.address, additional_headers={"Authorization": f"{scheme} {TOKEN}"}) as line:
        assert line.recv()


@pytest.mark.parametrize("header", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer "])
def test_other_headers_do_not_open(guarded, header: str) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(guarded.address, additional_headers={"Authorization": header}),
    ):
        pass


def test_a_page_in_a_browser_is_turned_away(serve) -> None:
    running = serve(TeleoperatorHost(FakeTeleoperatorConfig().build(), fps=30))
    with pytest.raises(InvalidStatus, match="403"), connect(running.address, origin="https://example.org"):
        pass


def test_health_is_told_to_everybody(guarded) -> None:
    address = guarded.address.replace("ws://", "http://")
    with urllib.request.urlopen(f"{address}/healthz") as answer:
        assert answer.read() == b"OK\n"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)


@pytest.mark.parametrize("text", ["", "short", "two words are no token at all", "naïve-token-that-is-no-ascii"])
def test_a_weak_token_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="at least 16 characters"):
        ask("127.0.0.1:9", token_file=file)


def test_other_computers_have_to_show_a_token() -> None:
    with pytest.raises(ValidationError, match=re.escape("a token_file beside the host 0.0.0.0")):
        ListenOptions(host="0.0.0.0")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_known(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_connections_are_encrypted_with_a_certificate(serve, tmp_path: Path, token: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate of this test, is not here")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    options = ListenOptions(port=0, token_file=token, tls_cert=certificate, tls_key=key)
    running = serve(TeleoperatorHost(FakeTeleoperatorConfig().build(), fps=30), options)
    assert running.address.startswith("wss://")
    place = running.address.removeprefix("wss://")
    assert ask(place, token_file=token, tls_ca=certificate) == "fake"
    with pytest.raises(DeviceConnectionError, match="cannot be trusted"):
        ask(running.address, token_file=token)
    with pytest.raises(DeviceConnectionError):
        ask(place, token_file=token)


def test_nobody_there_is_said() -> None:
    with pytest.raises(DeviceConnectionError, match="cannot be reached"):
        RemoteTeleoperatorConfig(address="127.0.0.1:1").build().connect()


@pytest.mark.parametrize("address", ["http://here:80", "ws://", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        ConnectOptions(address=address)
