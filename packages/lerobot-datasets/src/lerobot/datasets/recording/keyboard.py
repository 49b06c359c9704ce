"""Keys of a terminal, one at a time, and a terminal that is usable again whatever happens to the process."""

import logging
import os
import shutil
import subprocess
import sys
import time

from lerobot.datasets.recording.requests import Request

log = logging.getLogger(__name__)

KEYS: dict[bytes, Request] = {
    b"n": Request.NEXT,
    b"s": Request.SUCCESS,
    b"f": Request.FAILURE,
    b"r": Request.REDO,
    b"q": Request.STOP,
    # Arrow keys in the normal and in the application mode of terminals.
    b"\x1b[C": Request.NEXT,
    b"\x1bOC": Request.NEXT,
    b"\x1b[D": Request.REDO,
    b"\x1bOD": Request.REDO,
}

ESCAPE = b"\x1b"
# An arrow key is three bytes, which a slow connection may deliver apart; a lone Esc is one that nothing follows.
ESCAPE_S = 0.15

# Waits for the end of the recording process, however it ends, and puts the terminal's settings back if it was killed.
GUARD = 'read -r end; [ "$end" = restored ] || stty "$0" <&1'


class KeyDecoder:
    """Turns the bytes of a terminal into requests; other keys mean nothing."""

    def __init__(self) -> None:
        self._pending = b""
        self._since_s = 0.0

    def feed(self, data: bytes, now_s: float) -> list[Request]:
        """Take in what was typed.

        Args:
            data: bytes read, maybe none.
            now_s: monotonic time, to tell Esc from the beginning of an arrow key.
        """
        requests: list[Request] = []
        for number in data:
            byte = bytes([number])
            if self._pending == ESCAPE and byte not in b"[O":
                requests.append(Request.STOP)
                self._pending = b""
            if byte == ESCAPE:
                self._pending, self._since_s = ESCAPE, now_s
            elif not self._pending:
                requests += _meaning(byte.lower())
            elif len(self._pending) == 1:
                self._pending += byte
            elif byte.isalpha() or byte == b"~":
                requests += _meaning(self._pending + byte)
                self._pending = b""
        if self._pending == ESCAPE and now_s - self._since_s > ESCAPE_S:
            requests.append(Request.STOP)
            self._pending = b""
        return requests


def _meaning(key: bytes) -> list[Request]:
    return [KEYS[key]] if key in KEYS else []


class TerminalKeys:
    """The keyboard of the terminal this process runs in, also over SSH.

    While open, the terminal passes on each key at once and does not show it. `close` puts its settings back; a guard
    process does so if this one is killed.
    """

    def __init__(self) -> None:
        import termios
        import tty

        self._file = sys.stdin.fileno()
        self._decoder = KeyDecoder()
        self._settings = termios.tcgetattr(self._file)
        self._guard = _start_guard(self._file)
        tty.setcbreak(self._file, termios.TCSANOW)

    def poll(self) -> list[Request]:
        """See `RequestSource.poll`."""
        import select

        data = b""
        try:
            while select.select([self._file], [], [], 0)[0] and (read := os.read(self._file, 64)):
                data += read
        except OSError as error:  # the terminal was closed; the signal that says so ends the run
            log.debug("no keys: %s", error)
        return self._decoder.feed(data, time.monotonic())

    def close(self) -> None:
        """Put the terminal's settings back; keys typed until now do not reach the shell."""
        import termios

        try:
            termios.tcsetattr(self._file, termios.TCSAFLUSH, self._settings)
        except termios.error as error:  # the terminal was closed
            log.debug("the terminal is gone: %s", error)
        if self._guard is not None:
            self._guard.communicate(b"restored\n")
            self._guard = None


def open_keyboard() -> TerminalKeys | None:
    """Open the keyboard, if this process has one: standard input is a terminal and it is in the foreground."""
    try:
        import termios
    except ModuleNotFoundError:  # Windows
        return None
    try:
        if not sys.stdin.isatty() or os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
            return None
        return TerminalKeys()
    except (OSError, ValueError, termios.error) as error:
        log.debug("no keyboard: %s", error)
        return None


def _start_guard(terminal: int) -> "subprocess.Popen[bytes] | None":
    shell, stty = shutil.which("sh"), shutil.which("stty")
    if shell is None or stty is None:
        return None
    saved = subprocess.run([stty, "-g"], stdin=terminal, capture_output=True, text=True, check=False).stdout.strip()
    return subprocess.Popen([shell, "-c", GUARD, saved], stdin=subprocess.PIPE, stdout=terminal, start_new_session=True)
