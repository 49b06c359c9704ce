"""Ctrl-C and its relatives, turned into an orderly end."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

log = logging.getLogger(__name__)

# SIGHUP comes when the terminal window is closed, SIGQUIT and SIGTSTP from Ctrl-\ and Ctrl-Z, which people press when
# Ctrl-C seems slow: each would leave an energised robot behind that nobody commands.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")


class Interrupted(KeyboardInterrupt):
    """A stop signal that interrupts at once; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class StopSignals:
    """Handles the signals in `NAMES` while it is entered, in the main thread only, and restores what was there.

    Outside the two scopes below a signal raises `Interrupted` at once. Inside `graceful` the first one only sets
    `stop_requested`, so that the tick is finished; the second raises. Inside `shielded` one raises only if the present
    step takes longer than the user can be asked to wait.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        """Number of the first signal that came; None if there was none."""
        self.stop_requested = False
        """Whether the loop shall end after this tick."""
        self._graceful = False
        self._raise_after_s: float | None = None
        self._previous: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """0, or 128 plus the number of the signal that came, as shells have it."""
        return 0 if self.received is None else 128 + self.received

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in NAMES:
                number = getattr(signal, name, None)
                # A signal that is ignored (nohup) stays so; None is a handler Python cannot put back.
                if number is not None and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous.clear()

    @contextmanager
    def graceful(self) -> Iterator[None]:
        """Let the first signal finish the tick instead of interrupting it."""
        self._graceful = True
        try:
            yield
        finally:
            self._graceful = False

    @contextmanager
    def shielded(self, patience_s: float) -> Iterator[None]:
        """Keep signals from cutting a clean-up step short, unless it already takes longer than `patience_s`."""
        before = self._raise_after_s
        self._raise_after_s = time.monotonic() + patience_s
        try:
            yield
        finally:
            self._raise_after_s = before

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        if self._raise_after_s is not None:
            if time.monotonic() < self._raise_after_s:
                return
        elif self._graceful and not self.stop_requested:
            self.stop_requested = True
            return
        raise Interrupted(number)
