"""A terminal whose keys the test types."""

import io
import os
import pty
import threading
from collections.abc import Iterator
from typing import Any

import pytest


class Typist:
    """Somebody at a pseudo-terminal that is the standard input of this process.

    Attributes:
        terminal: file descriptor the teleoperator reads.
    """

    def __init__(self) -> None:
        self._hands, self.terminal = pty.openpty()
        self._gone = False

    def type(self, text: str) -> None:
        os.write(self._hands, text.encode())

    def hang_up(self) -> None:
        if not self._gone:
            self._gone = True
            os.close(self._hands)


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    typist = Typist()
    stdin = io.TextIOWrapper(io.FileIO(typist.terminal, closefd=False))
    monkeypatch.setattr("sys.stdin", stdin)
    yield typist
    stdin.close()
    typist.hang_up()
    os.close(typist.terminal)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> type[threading.Thread]:
    """pynput's listener on a display that does not exist: it hears what the test calls its callbacks with."""
    monkeypatch.setenv("PYNPUT_BACKEND", "dummy")
    keyboard = pytest.importorskip("pynput.keyboard")

    class SilentListener(keyboard.Listener):
        running_ones: list[Any] = []

        def _run(self) -> None:
            self.stopped = threading.Event()
            self.running_ones.append(self)
            self._mark_ready()
            self.stopped.wait()

        def _stop_platform(self) -> None:
            self.wait()
            self.stopped.set()

    monkeypatch.setattr(keyboard, "Listener", SilentListener)
    return SilentListener
