"""A terminal that passes on each key at once, and is as before whatever happens to the process."""

import logging
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.registry.catalog import install_hint

log = logging.getLogger(__name__)

GUARD = 'cat > /dev/null; stty "$0" <&1'
"""Waits until this process has closed the pipe, however it ended, and puts the terminal's settings back."""


class RawTerminal:
    """The terminal on standard input; opened by its construction, keys are not shown until it is closed.

    Raises:
        DeviceConnectionError: there is no terminal, or it is not this process's to read; says why.
    """

    def __init__(self) -> None:
        try:
            import termios
        except ModuleNotFoundError as error:
            raise DeviceConnectionError(
                "This system's terminals do not pass on single keys.",
                hint=f"lerobot-keyboard listens to the desktop. {install_hint('lerobot-keyboard', 'display')}",
            ) from error
        self._file = _foreground_terminal()
        self._settings: list[Any] = termios.tcgetattr(self._file)
        self._guard = _start_guard(self._file)
        self._enter()

    def _enter(self) -> None:
        import termios
        import tty

        tty.setcbreak(self._file, termios.TCSANOW)

    def _leave(self) -> None:
        import termios

        try:
            # Keys typed until now are dropped: they were not meant for whoever reads next.
            termios.tcsetattr(self._file, termios.TCSAFLUSH, self._settings)
        except termios.error as error:  # the terminal was closed
            log.debug("the terminal is gone: %s", error)

    def read(self) -> bytes:
        """Bytes that were typed since the last call; never waits.

        Raises:
            DeviceConnectionError: the terminal is gone.
        """
        data = b""
        try:
            while select.select([self._file], [], [], 0)[0]:
                read = os.read(self._file, 256)
                if not read:
                    raise DeviceConnectionError("The input of the terminal has ended.")
                data += read
        except OSError as error:
            if isinstance(error, DeviceConnectionError):
                raise
            raise DeviceConnectionError(f"The terminal was lost: {error.strerror}.") from error
        return data

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Give the terminal back to a question and its answer for the block."""
        self._leave()
        try:
            yield
        finally:
            self._enter()

    def close(self) -> None:
        """Put the terminal's settings back."""
        self._leave()
        if self._guard is not None:
            self._guard.communicate()


def _foreground_terminal() -> int:
    """Find the terminal on standard input, if keys typed there are meant for this process."""
    hint = "Start it in a terminal, over SSH with `ssh -t`."
    try:
        file = sys.stdin.fileno()
        if not os.isatty(file):
            raise DeviceConnectionError("Standard input is no terminal, so there are no keys to read.", hint=hint)
    except (OSError, ValueError, AttributeError) as error:  # closed, replaced or absent
        if isinstance(error, DeviceConnectionError):
            raise
        raise DeviceConnectionError("There is no standard input, so there are no keys to read.", hint=hint) from error
    try:
        if os.tcgetpgrp(file) != os.getpgrp():
            raise DeviceConnectionError("This process runs in the background of its terminal.", hint="Use `fg`.")
    except OSError as error:
        if isinstance(error, DeviceConnectionError):
            raise
        log.debug("the terminal has no foreground: %s", error)
    return file


def _start_guard(terminal: int) -> "subprocess.Popen[bytes] | None":
    shell, stty = shutil.which("sh"), shutil.which("stty")
    if shell is None or stty is None:
        return None
    saved = subprocess.run([stty, "-g"], stdin=terminal, capture_output=True, text=True, check=False).stdout.strip()
    return subprocess.Popen([shell, "-c", GUARD, saved], stdin=subprocess.PIPE, stdout=terminal, start_new_session=True)
