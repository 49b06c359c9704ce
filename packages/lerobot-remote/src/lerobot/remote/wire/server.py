"""Listening for connections: each has a thread, shows its token, and gets every error in one line."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Self

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.core.loopback import is_loopback
from lerobot.remote.wire.access import read_token, server_tls, shows_token
from lerobot.remote.wire.config import ListenOptions
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.listening import Listening

log = logging.getLogger(__name__)

OPEN_S = 5.0
CLOSE_S = 1.0


class WireServer:
    """Listens while it is entered.

    Args:
        options: where, and to whom.
        handle: called with every connection, in a thread of its own; the connection ends when it returns. What it
            raises is told to the other end.
        ping_s: how often to ask whether a client still lives, and how long to wait for the answer.

    Raises:
        ConfigError: token or certificate cannot be read.
    """

    def __init__(self, options: ListenOptions, handle: Callable[[Link], None], *, ping_s: float = 20.0) -> None:
        self._options = options
        self._handle = handle
        self._ping_s = ping_s
        self._token = read_token(options.token_file)
        self._tls = server_tls(options)
        self._listening: Listening | None = None
        self.port = options.port
        """Port it listens on; known once entered."""

    @property
    def address(self) -> str:
        """The address for clients: `ws://127.0.0.1:8000`."""
        return f"{'ws' if self._tls is None else 'wss'}://{self._options.host}:{self.port}"

    def __enter__(self) -> Self:
        options = self._options
        if not is_loopback(options.host) and self._tls is None:
            log.warning("connections to %s are not encrypted; --tls_cert and --tls_key would do it", options.host)
        self._listening = Listening(
            self._serve,
            options.host,
            options.port,
            flag="--port",
            name="wire server",
            ssl=self._tls,
            process_request=self._let_in,
            # A page in a browser always names its origin: no web site may drive a robot through its visitor.
            origins=[None],
            max_size=int(options.max_message_mib * 2**20),
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            ping_interval=self._ping_s,
            ping_timeout=self._ping_s,
        )
        self.port = self._listening.port
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/healthz":
            return connection.respond(HTTPStatus.OK, "OK\n")
        if self._token is not None and not shows_token(request.headers.get("Authorization"), self._token):
            log.warning("a connection from %s showed no token, or a wrong one", connection.remote_address[0])
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong\n")
        return None

    def _serve(self, connection: ServerConnection) -> None:
        host, port = connection.remote_address[:2]
        link = Link(connection, f"{host}:{port}", int(self._options.max_message_mib * 2**20))
        try:
            self._handle(link)
        except DeviceConnectionError as error:
            log.info("%s", error.what)
            link.refuse(str(error))
        except LeRobotError as error:
            log.warning("%s: %s", link.name, error.what)
            link.refuse(str(error))
        except Exception as error:
            log.exception("%s: serving it failed", link.name)
            link.refuse(f"the server failed: {type(error).__name__}: {error}")
