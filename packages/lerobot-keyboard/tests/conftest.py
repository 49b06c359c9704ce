"""A desktop that does not exist."""

import threading
from typing import Any

import pytest


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
