"""The page, over TLS, and the one phone that has it open."""

import hmac
import importlib.resources
import json
import logging
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from lerobot.core.capture_clock import CaptureClock
from lerobot.core.errors import ConfigError, ConfigProblem, DeviceConnectionError
from lerobot.core.loopback import is_loopback
from lerobot.core.paths import lerobot_home
from lerobot.phone.certificate import own_address, own_certificate
from lerobot.phone.config import PhoneConfig
from lerobot.phone.messages import MAX_MESSAGE_BYTES, Lost, PoseMessage, Remark, decode
from lerobot.phone.tracker import PoseTracker, Reading
from lerobot.remote.newest import Newest
from lerobot.remote.wire.access import read_token
from lerobot.remote.wire.errors import WireError, printable
from lerobot.remote.wire.listening import Listening
from lerobot.remote.wire.tls import server_context

log = logging.getLogger(__name__)

FILES = {"/": ("index.html", "text/html"), "/phone.js": ("phone.js", "text/javascript")}
SOCKET = "/ws"
POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"
OPEN_S = 10.0
HEARTBEAT_S, PATIENCE_S = 1.0, 3.0
"""How often a phone is asked whether it lives, and how long it may take; then another one may have the connection."""
TAKEN, REPLACED = 4001, 4002


class PhoneServer:
    """Serves the page and keeps what the phone said last; a context manager.

    Args:
        config: where, and to whom.
        newest: takes every reading, with the time at which it was measured.

    Attributes:
        refused: how many messages could not be read.

    Raises:
        ConfigError: token or certificate cannot be read.
    """

    def __init__(self, config: PhoneConfig, newest: Newest[Reading]) -> None:
        self._config = config
        self._newest = newest
        self._token = read_token(config.token_file) or secrets.token_urlsafe()
        self._taken = threading.Lock()
        self._connection: ServerConnection | None = None
        self._listening: Listening | None = None
        self.port = config.port
        self.refused = 0

    @property
    def url(self) -> str:
        """The page's address, for a person to open on the phone; the token is in it."""
        return f"https://{self._host}:{self.port}/?token={self._token}"

    @property
    def _host(self) -> str:
        host = self._config.host
        return own_address() if host in {"0.0.0.0", "::"} else host  # noqa: S104 - the user's words, not a default

    def __enter__(self) -> Self:
        config = self._config
        self._listening = Listening(
            self._serve,
            config.host,
            config.port,
            flag="--teleop.port",
            name="phone server",
            ssl=self._tls(),
            process_request=self._let_in,
            max_size=MAX_MESSAGE_BYTES,
            ping_interval=HEARTBEAT_S,
            ping_timeout=PATIENCE_S,
            open_timeout=OPEN_S,
            close_timeout=HEARTBEAT_S,
        )
        self.port = self._listening.port
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if (connection := self._connection) is not None:
            connection.close()

    def _tls(self) -> ssl.SSLContext:
        config = self._config
        if config.tls_cert is not None and config.tls_key is not None:
            certificate, key = config.tls_cert, config.tls_key
        else:
            names = dict.fromkeys(["localhost", "127.0.0.1", self._host])
            folder = lerobot_home() / "phone"
            try:
                certificate, key = own_certificate(folder, list(names))
            except OSError as error:
                raise DeviceConnectionError(f"the page's certificate cannot be kept in {folder}: {error}.") from error
        try:
            return server_context(certificate, key)
        except OSError as error:
            expected = f"a certificate with its key: {error}"
            raise ConfigError([ConfigProblem("--teleop.tls_cert", str(certificate), expected)]) from error

    # --- every request -----------------------------------------------------------------------------------------------

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        place = urlsplit(request.path)
        if place.path == SOCKET:
            return self._let_in_phone(connection, request, place.query)
        if place.path not in FILES:
            return connection.respond(HTTPStatus.NOT_FOUND, "there is no such page\n")
        if place.path == "/" and not self._shows_token(place.query):
            return self._refuse(connection, "its address shows no token, or a wrong one")
        name, kind = FILES[place.path]
        body = (importlib.resources.files("lerobot.phone") / "page" / name).read_bytes()
        headers = Headers(
            [
                ("Content-Type", f"{kind}; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Content-Security-Policy", POLICY),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
                ("Cache-Control", "no-store"),
                ("Connection", "close"),
            ]
        )
        return Response(HTTPStatus.OK, "OK", headers, body)

    def _let_in_phone(self, connection: ServerConnection, request: Request, query: str) -> Response | None:
        if not self._shows_token(query):
            return self._refuse(connection, "its address shows no token, or a wrong one")
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        # A page of another site that somebody opens on this network must not move the arm. Programs name no origin.
        if origin is not None and origin != f"https://{host}":
            return self._refuse(connection, f"it is a page of {origin[:80]}")
        return None

    def _shows_token(self, query: str) -> bool:
        shown = parse_qs(query).get("token", [""])[0]
        return hmac.compare_digest(shown.encode(), self._token.encode())

    @staticmethod
    def _refuse(connection: ServerConnection, reason: str) -> Response:
        log.warning("phone: a connection from %s is refused: %s", connection.remote_address[0], printable(reason))
        return connection.respond(HTTPStatus.FORBIDDEN, f"refused: {reason}\n")

    # --- the phone ---------------------------------------------------------------------------------------------------

    def _serve(self, connection: ServerConnection) -> None:
        if not self._taken.acquire(blocking=False):
            log.warning("phone: a second one, at %s, is refused", connection.remote_address[0])
            connection.close(TAKEN, "another phone drives the arm")
            return
        try:
            self._connection = connection
            log.info("phone: %s is there", connection.remote_address[0])
            self._hear(connection)
        except ConnectionClosed:
            log.info("phone: it is gone; the arm holds")
        finally:
            self._newest.clear()
            self._connection = None
            self._taken.release()

    def _hear(self, connection: ServerConnection) -> None:
        tracker, clock = PoseTracker(self._config.max_age_s), CaptureClock()
        told = False
        for text in connection:
            try:
                enabled = self._take(decode(text), tracker, clock)
            except WireError as error:
                if not self.refused:
                    log.warning("phone: %s; more of this kind is only counted", error.what)
                self.refused += 1
                continue
            if enabled != told:
                told = enabled
                connection.send(json.dumps({"type": "state", "enabled": enabled}))

    def _take(self, message: PoseMessage | Lost | Remark, tracker: PoseTracker, clock: CaptureClock) -> bool:
        """Take a message in; say whether the arm now follows."""
        arrived_s = time.monotonic()
        if isinstance(message, PoseMessage):
            measured_s = arrived_s if message.time_s is None else clock.here(message.time_s, arrived_s)
            reading = tracker.update(message, arrived_s)
            self._newest.put(reading, measured_s)
            return reading.enabled
        if isinstance(message, Remark):
            log.debug("phone: %s", printable(message.text))
            return tracker.follows
        tracker.lose()
        self._newest.clear()
        return False


def warn_of_network(config: PhoneConfig, port: int, say: Callable[[str], None]) -> None:
    """Tell a person which phones can reach the page."""
    if is_loopback(config.host):
        say(f"Only this computer reaches it, and a phone on its USB port after: adb reverse tcp:{port} tcp:{port}")
        say("For a phone in your network: --teleop.host=0.0.0.0")
