"""A page of the studio without a browser: its socket, spoken as `static/live.js` does. A thousand of them are cheap."""

import contextlib
import json
import secrets
import socket
import threading
import time
from typing import Any

from raw_client import RawClient
from studio_process import Studio, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect


class WirePage:
    """One tab.

    Args:
        studio: whose page it is.
        visitor: who has the cookie.
        tab: what the tab calls itself; it keeps that when it is loaded again.

    Attributes:
        tab: see above.
        pictures: how many came.
        errors: what the studio refused, in its words.
        jog: run, and how fast its keys are to move, said all the time; None while nobody jogs.
        frozen: it answers nothing and says nothing, as a computer that sleeps.
        state: what the studio said last of who controls.
    """

    def __init__(self, studio: Studio, visitor: RawClient, tab: str = "") -> None:
        self.tab = tab or secrets.token_hex(8)
        self.jog: tuple[str, dict[str, float]] | None = None
        self.frozen = False
        self.state: dict[str, Any] = {}
        self.errors: list[str] = []
        self.pictures = 0
        self._ended = threading.Event()
        self._opened = contextlib.ExitStack()
        connecting = connect(
            f"ws://127.0.0.1:{studio.port}/live",
            origin=studio.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": visitor.cookie},
            max_size=None,
            open_timeout=20,
            close_timeout=0.1,
        )
        self._socket: ClientConnection = self._opened.enter_context(connecting)
        self.send(type="hello", page=self.tab)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._move)]
        for thread in self._threads:
            thread.start()

    @property
    def is_open(self) -> bool:
        return not self._ended.is_set()

    @property
    def controls(self) -> bool:
        return self.state.get("control") == "you"

    def send(self, **message: Any) -> None:
        """Say something; a studio that is gone hears nothing."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._socket.send(json.dumps(message))

    def take_control(self) -> None:
        """Become the page that controls."""
        wait_for(lambda: self.state or not self.is_open, "the studio's first word")
        if not self.controls:
            self.send(type="take_control")
            wait_for(lambda: self.controls, "control")

    def cut(self) -> None:
        """End as a browser that is killed: no farewell."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._socket.socket.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """End as a tab that is closed."""
        self._ended.set()
        with contextlib.suppress(ConnectionClosed, OSError):
            self._opened.close()

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            for content in self._socket:
                self.pictures += isinstance(content, bytes)
                if isinstance(content, bytes) or self.frozen:
                    continue
                message = json.loads(content)
                if message["type"] == "ping":
                    self.send(type="alive", n=message["n"])
                elif message["type"] == "state":
                    self.state = message
                elif message["type"] == "error":
                    self.errors.append(str(message["text"]))
        self._ended.set()

    def _move(self) -> None:
        while not self._ended.is_set():
            if (jog := self.jog) and not self.frozen:
                self.send(type="jog", run=jog[0], keys=jog[1], t=time.monotonic())
            time.sleep(0.05)
