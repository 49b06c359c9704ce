"""Encrypted connections that one thread reads while another writes."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection

from lerobot.remote.wire.listening import Listening
from lerobot.remote.wire.tls import SharedTLSSocket, client_context, server_context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate of this test, is not here")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names: list[str | Path] = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]]
    subprocess.run([*make, *names], check=True, capture_output=True)
    return files


def refuse_some(connection: ServerConnection, request: Request) -> Response | None:
    return connection.respond(HTTPStatus.FORBIDDEN, "no\n") if request.path == "/no" else None


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


def test_no_answer_is_lost(certificate: tuple[Path, Path]) -> None:
    """With Python's own sockets one connection in some hundred hung: all of these must be answered, or refused."""
    options: dict[str, Any] = {"flag": "--port", "name": "echo", "process_request": refuse_some}
    listening = Listening(echo, "127.0.0.1", 0, ssl=server_context(*certificate), **options)
    trusted = client_context(certificate[0])
    try:
        for turn in range(150):
            with connect(f"wss://127.0.0.1:{listening.port}/", ssl=trusted, compression=None) as connection:
                message = bytes(700 * (turn % 60))
                connection.send(message)
                assert connection.recv(timeout=30) == message
            with pytest.raises(InvalidStatus, match="403"):
                connect(f"wss://127.0.0.1:{listening.port}/no", ssl=trusted, compression=None)
    finally:
        listening.close()


@pytest.fixture
def pair(certificate: tuple[Path, Path]) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of a connection."""
    here, there = socket.socketpair()
    waiting = server_context(*certificate).wrap_socket(there, server_side=True, do_handshake_on_connect=False)
    agreeing = threading.Thread(target=waiting.do_handshake)
    agreeing.start()
    with client_context(certificate[0]).wrap_socket(here, server_hostname="127.0.0.1") as client, waiting as server:
        agreeing.join()
        yield client, server


def test_both_directions_at_once(pair: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    """More than the buffers hold, both ways, in four threads: nobody's writing waits for his own reading."""
    sent = bytes(range(256)) * 20_000
    got = [bytearray(), bytearray()]

    def read(end: int) -> None:
        while len(got[end]) < len(sent):
            got[end] += pair[end].recv(65536)

    threads = [threading.Thread(target=read, args=(end,)) for end in (0, 1)]
    threads += [threading.Thread(target=pair[end].sendall, args=(sent,)) for end in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [sent, sent]


def test_waiting_ends_after_its_time(pair: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    client, server = pair
    assert isinstance(client, SharedTLSSocket)
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(10)
    server.sendall(b"later")
    assert client.recv(10) == b"later"


def test_what_was_on_its_way_is_still_read(pair: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    client, server = pair
    server.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert client.recv(100) == b"last words"
    server.close()
    assert client.recv(100) == b""
