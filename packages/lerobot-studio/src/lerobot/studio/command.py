"""`lerobot studio`: makes the application, says where it is and serves it until Ctrl-C."""

import html
import os
import secrets
import socket
import sys
import webbrowser
from pathlib import Path

import uvicorn

from lerobot.core.errors import ConfigError, ConfigProblem, LeRobotError
from lerobot.core.loopback import is_loopback
from lerobot.core.paths import lerobot_home
from lerobot.studio.access import LARGEST_BODY
from lerobot.studio.app import make_app
from lerobot.studio.commands.studio import StudioConfig
from lerobot.studio.private_file import write_private

SHORTEST_TOKEN = 16


def studio(config: StudioConfig) -> None:
    """Run the command.

    Args:
        config: validated configuration.

    Raises:
        LeRobotError: the address cannot be listened on, the token cannot be read, or this is Windows.
    """
    if os.name == "nt":
        raise LeRobotError("The studio runs on Linux and macOS.", hint="On Windows: in WSL.")
    home = lerobot_home() / "studio"
    token = read_token(config.token_file) if config.token_file else own_token(home / "token")
    with _listen(config.host, config.port) as listener:
        port = listener.getsockname()[1]
        host = f"[{config.host}]" if ":" in config.host else config.host
        address = f"http://{host}:{port}/?token={token}"
        app = make_app(home, token, config.host, port)
        _say(f"The studio is at {address}")
        _say("Whoever has this address can drive the robots. Ctrl-C ends the studio; commands it started go on.")
        if not is_loopback(config.host):
            _say("Pages and token travel unencrypted in this network. Safer: ssh -L 8090:127.0.0.1:8090 THIS_COMPUTER")
        if config.open_browser and _has_browser():
            webbrowser.open(_doorway(home / "open.html", address).as_uri())
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="websockets-sansio",
                ws_max_size=LARGEST_BODY,
                log_config=None,
                log_level="warning",
                access_log=False,
            )
        )
        server.run(sockets=[listener])


def own_token(file: Path) -> str:
    """The token of this user, made when it is first needed, so that open pages outlive a restart of the studio."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe())
    return read_token(file)


def read_token(file: Path) -> str:
    """Read a token.

    Raises:
        ConfigError: there is no such file, or what it holds is no token.
    """
    expected = f"a file that holds {SHORTEST_TOKEN} or more letters, digits, - and _"
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([ConfigProblem("--token_file", str(file), expected, str(error))]) from error
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        hint = 'make one: python3 -c "import secrets; print(secrets.token_urlsafe())" > FILE'
        raise ConfigError([ConfigProblem("--token_file", str(file), expected, hint)])
    return token


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        hint = "Another studio may run: open its page, or take --port=0."
        raise LeRobotError(f"{host}:{port} cannot be listened on: {error.strerror or error}.", hint=hint) from error


def _has_browser() -> bool:
    """Whether there is a screen; without one a browser of the terminal might open."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"})


def _doorway(file: Path, address: str) -> Path:
    """A page that leads to the studio: what is on a command line, other users of the computer can read."""
    write_private(file, f'<!doctype html><meta http-equiv="refresh" content="0;url={html.escape(address)}">')
    return file


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
