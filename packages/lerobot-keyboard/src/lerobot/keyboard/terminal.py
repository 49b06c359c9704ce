"""Keys of the terminal this process runs in, also over SSH."""

import logging
import os
import select
import shutil
import subprocess
import sys
import time
from typing import Any

from lerobot.core.errors import DeviceConnectionError
from lerobot.keyboard.keys import HeldKeys, KeyDecoder

log = logging.getLogger(__name__)

GUARD = 'cat > /dev/null; stty "$0" <&1'
"""Waits until this process has closed the pipe, however it ended, and puts the terminal's settings back."""


class TerminalKeyboard:
    """The terminal on standard input.

    While it is open, each key arrives at once and is not shown. A terminal tells presses and repetitions, not
    releases, and nothing of keys that type nothing (Shift, Ctrl); of several keys that are held it repeats the last.

    Args:
        hold_s: how long a key is held after its first press.
        repeat_s: how long after a repetition.
    """

    def __init__(self, hold_s: float, repeat_s: float) -> None:
        self._times = hold_s, repeat_s
        self._file = -1
        self._settings: list[Any] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._decoder = KeyDecoder()
        self._keys = HeldKeys(*self._times)

    def open(self) -> None:
        """See `Keyboard.open`."""
        try:
            import termios
            import tty
        except ModuleNotFoundError as error:
            raise DeviceConnectionError(
                "This system's terminals do not pass on single keys.",
                hint="Install what listens to the desktop: uv pip install 'lerobot-keyboard[display]'",
            ) from error
        file = _foreground_terminal()
        self._settings = termios.tcgetattr(file)
        self._decoder, self._keys = KeyDecoder(), HeldKeys(*self._times)
        self._guard = _start_guard(file)
        self._file = file
        tty.setcbreak(file, termios.TCSANOW)

    def held(self) -> frozenset[str]:
        """See `Keyboard.held`."""
        self._read()
        return self._keys.held(time.monotonic())

    def typed(self) -> list[str]:
        """See `Keyboard.typed`."""
        self._read()
        return self._keys.typed()

    def _read(self) -> None:
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
        now = time.monotonic()
        for key in self._decoder.feed(data, now):
            self._keys.press(key, now)

    def close(self) -> None:
        """See `Keyboard.close`; keys typed until now do not reach the shell."""
        if self._file < 0:
            return
        import termios

        file, self._file = self._file, -1
        try:
            termios.tcsetattr(file, termios.TCSAFLUSH, self._settings)
        except termios.error as error:  # the terminal was closed
            log.debug("the terminal is gone: %s", error)
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None


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
