"""Ctrl-C and its relatives, turned into an orderly end.

Python drops what is raised in a weak reference's callback or in `__del__`, and C code may turn it into another error.
So a signal is first of all remembered; whether it also interrupts at once, `StopSignals` says. Whoever works in steps
looks between them with `check_stop`.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

log = logging.getLogger(__name__)

# SIGHUP comes when the terminal window is closed, SIGQUIT and SIGTSTP from Ctrl-\ and Ctrl-Z, which people press when
# Ctrl-C seems slow: each would leave an energised robot behind that nobody commands.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")
HOLD_NAME = "SIGUSR1"
"""The signal that stops robots where they are, without ending the run; see `StopSignals`."""

# Without a robot Ctrl-Z may hold a program and Ctrl-\ end it, as everywhere.
NAMES_WITHOUT_ROBOT = ("SIGINT", "SIGTERM", "SIGHUP")

_entered: "list[StopSignals]" = []


class Interrupted(KeyboardInterrupt):
    """A stop signal that interrupts at once; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stopped(Interrupted):
    """The first signal, answered between two steps; see `check_stop`."""


class StopSignals:
    """Handles signals while it is entered, in the main thread only, and restores what was there.

    The command line enters one around every command. One inside another takes over until it is left, and then hands on
    what it received. Libraries enter none: they ask `stop_signals`.

    Outside the two scopes below a signal raises `Interrupted` at once. Inside `graceful` the first one only sets
    `stop_requested`, so that the tick is finished; the second raises. Inside `shielded` one raises only if the present
    step takes longer than the user can be asked to wait.

    Args:
        names: of the signals to handle, where the system has them.
        hold: called when `HOLD_NAME` comes, which ends and interrupts nothing; None leaves that signal alone.
    """

    def __init__(self, names: Sequence[str] = NAMES, *, hold: Callable[[], object] | None = None) -> None:
        self.received: int | None = None
        """Number of the first signal that came, also where the interruption was swallowed; None if there was none."""
        self._names = names if hold is None else (*names, HOLD_NAME)
        self._hold = hold
        self._process = 0
        self._graceful = False
        self._raise_after_s: float | None = None
        self._previous: dict[int, Any] = {}

    @property
    def stop_requested(self) -> bool:
        """Whether the loop shall end after this tick."""
        return self.received is not None

    @property
    def exit_code(self) -> int:
        """0, or 128 plus the number of the signal that came, as shells have it."""
        return 0 if self.received is None else 128 + self.received

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._process = os.getpid()
            self.received = stop_signals().received
            for name in self._names:
                number = getattr(signal, name, None)
                # A signal that is ignored (nohup) stays so; None is a handler Python cannot put back.
                if number is not None and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._previous[number] = signal.signal(number, self._handle)
            _entered.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread can put handlers back
        later = _entered[_entered.index(self) + 1 :] if self in _entered else []
        if later:
            # Two robots need not be released in reverse order: the next one puts back what was before this one.
            later[0]._previous |= self._previous
        else:
            for number, previous in self._previous.items():
                signal.signal(number, previous)
        self._previous.clear()
        if self in _entered:
            _entered.remove(self)
            outer = stop_signals()
            if outer.received is None:
                outer.received = self.received

    @property
    def is_in_place(self) -> bool:
        """Whether signals come here; not, if an interruption in the middle of leaving kept it from being left."""
        return any(
            signal.getsignal(number) == self._handle
            for number in self._previous
            if signal.Signals(number).name != HOLD_NAME
        )

    @contextmanager
    def graceful(self) -> Iterator[None]:
        """Let the first signal finish the step instead of interrupting it; the body looks between steps."""
        before, self._graceful = self._graceful, True
        try:
            yield
        finally:
            self._graceful = before

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
        if os.getpid() != self._process and number != signal.SIGINT:
            # A child made by a fork has this handler too. It leaves Ctrl-C to its parent, but not what is for itself.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if self._hold is not None and signal.Signals(number).name == HOLD_NAME:
            self._hold()
            return
        is_first = self.received is None
        if is_first:
            self.received = number
        if self._raise_after_s is not None:
            if time.monotonic() < self._raise_after_s:
                return
        elif self._graceful and is_first:
            return
        raise Interrupted(number)


def stop_signals() -> StopSignals:
    """The stop signals of the command that runs; ones that never receive any, where none runs (in a notebook)."""
    while _entered and not _entered[-1].is_in_place:
        _entered.pop()
    return _entered[-1] if _entered else StopSignals()


def check_stop() -> None:
    """Between two steps: end here if the command was told to stop.

    Raises:
        Stopped: it was.
    """
    if (received := stop_signals().received) is not None:
        raise Stopped(received)


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Run what goes on until a stop signal comes: that is its success, not an interruption."""
    try:
        yield
    except KeyboardInterrupt:
        stop_signals().received = None
