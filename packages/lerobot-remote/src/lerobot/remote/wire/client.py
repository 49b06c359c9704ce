"""Opening a connection to a server."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import connect

from lerobot.core.errors import DeviceConnectionError
from lerobot.remote.wire.access import client_tls, read_token
from lerobot.remote.wire.config import ConnectOptions
from lerobot.remote.wire.link import SILENT, Link

UNAUTHORIZED = 401
CLOSE_S = 1.0


@contextmanager
def open_link(options: ConnectOptions, name: str, *, ping_s: float | None = 20.0) -> Iterator[Link]:
    """Connect to a server; the connection ends with the block.

    Args:
        options: where it is.
        name: of the other end, for messages.
        ping_s: how often to ask whether the other end still lives, and how long to wait for the answer; None: never.

    Raises:
        DeviceConnectionError: there is no such server, it does not answer, or it does not let us in.
        ConfigError: the token or the certificate cannot be read.
    """
    token = read_token(options.token_file)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    max_bytes = int(options.max_message_mib * 2**20)
    try:
        connection = connect(
            options.uri,
            additional_headers=headers,
            ssl=client_tls(options),
            compression=None,
            max_size=max_bytes,
            open_timeout=options.connect_timeout_s,
            close_timeout=CLOSE_S,
            ping_interval=ping_s,
            ping_timeout=ping_s,
            # What connects arms goes straight to the address that was given, whatever the environment's proxy is.
            proxy=None,
            logger=SILENT,
        )
        entered = connection.__enter__()
    except (OSError, InvalidHandshake, InvalidURI, EOFError) as error:
        raise _unreachable(options, name, error) from error
    try:
        yield Link(entered, name, max_bytes)
    finally:
        connection.__exit__(None, None, None)


def _unreachable(options: ConnectOptions, name: str, error: Exception) -> DeviceConnectionError:
    if isinstance(error, InvalidStatus) and error.response.status_code == UNAUTHORIZED:
        what, hint = f"{options.uri} does not accept the token", "Give the server's own: token_file=FILE."
    elif isinstance(error, InvalidHandshake):
        what, hint = f"{options.uri} is no such server: {error}", "Check the address."
    elif isinstance(error, ssl.SSLError):
        what, hint = f"{options.uri} cannot be trusted: {error}", "Give its certificate: tls_ca=FILE."
    else:
        what, hint = f"{options.uri} cannot be reached: {error}", "Start it: lerobot serve ..."
    return DeviceConnectionError(f"{name}: {what}.", device=name, hint=hint)
