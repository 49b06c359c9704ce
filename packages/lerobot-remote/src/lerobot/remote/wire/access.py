"""Who may connect: tokens and certificates."""

import hmac
import ssl
from pathlib import Path

from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.remote.wire.config import ConnectOptions, ListenOptions
from lerobot.remote.wire.tls import client_context, server_context

SCHEMES = ("bearer", "api-key")
"""How a client may show its token; openpi's shows an Api-Key."""
SHORTEST_TOKEN = 16


def read_token(file: Path | None) -> str | None:
    """Read a token from the file it is kept in.

    Raises:
        ConfigError: there is no such file, or what it holds is no token.
    """
    if file is None:
        return None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _problem("token_file", file, f"a file that can be read: {error}") from error
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise _problem(
            "token_file",
            file,
            f"one line of at least {SHORTEST_TOKEN} characters",
            'make one: python3 -c "import secrets; print(secrets.token_urlsafe())" > FILE',
        )
    return token


def shows_token(authorization: str | None, token: str) -> bool:
    """Whether the header `Authorization` of a request holds the token."""
    scheme, _, shown = (authorization or "").partition(" ")
    # Compared in constant time, so that a wrong token does not say how much of it is right.
    return scheme.lower() in SCHEMES and hmac.compare_digest(shown.strip().encode(), token.encode())


def server_tls(options: ListenOptions) -> ssl.SSLContext | None:
    """What encrypts a server's connections; None if nothing does.

    Raises:
        ConfigError: certificate and key cannot be used.
    """
    if options.tls_cert is None or options.tls_key is None:
        return None
    try:
        return server_context(options.tls_cert, options.tls_key)
    except OSError as error:
        raise _problem("tls_cert", options.tls_cert, f"a certificate with its key: {error}") from error


def client_tls(options: ConnectOptions) -> ssl.SSLContext | None:
    """What encrypts a client's connection; None if nothing does.

    Raises:
        ConfigError: the certificate to trust cannot be used.
    """
    if not options.uri.startswith("wss://"):
        return None
    try:
        return client_context(options.tls_ca)
    except OSError as error:
        raise _problem("tls_ca", options.tls_ca, f"a certificate: {error}") from error


def _problem(field: str, given: object, expected: str, hint: str = "") -> ConfigError:
    return ConfigError([ConfigProblem(field, str(given), expected, hint)])
