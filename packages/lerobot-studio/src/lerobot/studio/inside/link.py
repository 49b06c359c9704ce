"""The connection of a command to the studio that started it; it may come and go, the command does not wait for it."""

import hmac
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from lerobot.core.safety.latch import stop_latch
from lerobot.core.tick import Tick
from lerobot.studio.inside.wire import (
    FILE,
    HEAD,
    JSON,
    RUN,
    Message,
    WireError,
    json_frame,
    proof,
    read_address,
    read_head,
)

log = logging.getLogger(__name__)

RETRY_S = 0.2
HANDSHAKE_S = 2.0
MOST_EVENTS = 200
"""So many events wait for a studio that is away; what is older is in the command's log."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What pages look at.

    Attributes:
        cameras: names of cameras; None for all.
        width: largest width of a picture that is of use, in pixels.
    """

    cameras: frozenset[str] | None
    width: int

    def wants(self, camera: str) -> bool:
        """Whether somebody looks at a camera."""
        return self.cameras is None or camera in self.cameras


class Link:
    """Tells the studio what happens, and hears from it; connects again for as long as the command runs.

    What is told under a key replaces what waits under the same key: a studio that is slow, or away, gets the newest.

    Args:
        file: says where the studio is and how to prove to belong to it; read anew for every connection.
        run: id of this run.

    Attributes:
        tick: newest turn of the control loop.
        heard_s: until when the page that controls is known to have been alive, monotonic seconds.
        jog: when the page said last how to move, and by key of the robot how fast, -1 to 1.
        watch: what pages look at; None while nobody looks.
        facts: what is said of the command on every connection.
    """

    def __init__(self, file: Path, run: str) -> None:
        self.run = run
        self.tick: Tick | None = None
        # Held until there is a new tick. The loop releases it, which never waits, as setting an event may.
        self._fresh = threading.Lock()
        self._fresh.acquire()
        self.heard_s = time.monotonic()
        self.jog: tuple[float, Mapping[str, float]] = (0.0, {})
        self.watch: Watch | None = None
        self.facts: Message = {"pid": os.getpid()}
        self._file = file
        self._waiting: dict[str, bytes] = {}
        self._events = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._sent = threading.Event()
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to connect; calling it again does nothing."""
        with self._lock:
            if not self._threads:
                self._closing.clear()
                self.heard_s = time.monotonic()
                work = (("studio link", self._listen), ("studio sender", self._send))
                self._threads = [threading.Thread(target=target, name=name, daemon=True) for name, target in work]
                for thread in self._threads:
                    thread.start()

    def close(self, patience_s: float = 0.5) -> None:
        """Say what is left to say, and disconnect."""
        if self._socket is not None:
            self._sent.wait(patience_s)
        self._closing.set()
        self._wake.set()
        self._drop()
        for thread in self._threads:
            thread.join(patience_s)
        self._threads = []

    def take_tick(self, tick: Tick) -> None:
        """A turn of the control loop is complete; called by the loop, which waits for nothing here."""
        self.tick = tick
        if self._fresh.locked():
            self._fresh.release()

    def next_tick(self, patience_s: float) -> Tick | None:
        """Wait for the end of a turn; None if there is none in time."""
        self._fresh.acquire(blocking=False)
        return self.tick if self._fresh.acquire(timeout=patience_s) else None

    def put(self, key: str, content: bytes) -> None:
        """Tell something of which only the newest counts.

        Args:
            key: what it is about; what waits under it is forgotten.
            content: a frame.
        """
        with self._lock:
            self._waiting[key] = content
            self._sent.clear()
        self._wake.set()

    def tell(self, message: Message) -> None:
        """Tell an event, which is not replaced by the next one."""
        with self._lock:
            self._events += 1
            self._waiting[f"event {self._events}"] = json_frame(message)
            self._waiting.pop(f"event {self._events - MOST_EVENTS}", None)
            self._sent.clear()
        self._wake.set()

    # --- the connection ----------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                self._converse()
            except (OSError, ValueError, KeyError, TypeError, WireError) as error:
                log.debug("studio: %s", error)
            self._drop()
            self._closing.wait(RETRY_S)

    def _converse(self) -> None:
        port, token = read_address(self._file)
        with socket.create_connection(("127.0.0.1", port), timeout=HANDSHAKE_S) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream:
                self._shake_hands(connection, stream, token)
                # From here on it waits as long as it takes: that nothing comes is what `heard_s` is for.
                connection.settimeout(None)
                self._socket = connection
                self._wake.set()
                while message := _read(stream):
                    self._hear(message)

    def _shake_hands(self, connection: socket.socket, stream: BinaryIO, token: str) -> None:
        challenge, nonce = _read(stream), secrets.token_hex(16)
        answer = proof(token, "command", str(challenge["nonce"]))
        connection.sendall(json_frame({"type": "hello", "run": self.run, "proof": answer, "nonce": nonce}))
        welcome = _read(stream)
        # Somebody else may listen at the port of a studio that is gone, and must not move the robot.
        if not hmac.compare_digest(str(welcome.get("proof")), proof(token, "studio", nonce)):
            raise WireError("whoever answers is not the studio")
        connection.sendall(json_frame({"type": "facts", **self.facts}))

    def _hear(self, message: Message) -> None:
        kind = message["type"]
        if kind == "beat":
            self.heard_s = min(float(message["time_s"]), time.monotonic())
        elif kind == "jog":
            self.jog = float(message["time_s"]), {str(key): float(value) for key, value in message["keys"].items()}
        elif kind == "stop":
            stop_latch().set(str(message["reason"]), str(message["source"]))
        elif kind == "watch":
            names = message["cameras"]
            cameras = None if names is None else frozenset(map(str, names))
            self.watch = Watch(cameras, int(message["width"])) if message["active"] else None

    def _send(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            while (connection := self._socket) is not None:
                with self._lock:
                    key = next(iter(self._waiting), None)
                    content = b"" if key is None else self._waiting.pop(key)
                if not content:
                    self._sent.set()
                    break
                try:
                    connection.sendall(content)
                except OSError:  # the listener finds out too, and connects again
                    break

    def _drop(self) -> None:
        connection, self._socket = self._socket, None
        self.watch = None
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("studio: %s", error)


def _read(stream: BinaryIO) -> Message:
    """The next message; empty when the other side has gone."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return {}
    length, kind = read_head(head)
    payload = stream.read(length)
    if kind != JSON or len(payload) < length:
        return {}
    message: Any = json.loads(payload)
    if not isinstance(message, dict):
        raise WireError("a message that is no object")
    return message


def studio_link() -> Link | None:
    """The link of this process to the studio that started it; None if none did."""
    file, run = os.environ.get(FILE), os.environ.get(RUN)
    return _link(Path(file), run) if file and run else None


@cache
def _link(file: Path, run: str) -> Link:
    return Link(file, run)
