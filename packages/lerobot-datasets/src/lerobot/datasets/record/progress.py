"""The line that says how the recording is going, and what is announced."""

import logging
import shutil
import subprocess
import sys
import time
from typing import TextIO

log = logging.getLogger(__name__)

TERMINAL_PERIOD_S = 0.2
PLAIN_PERIOD_S = 5.0
SPEAKERS = ("say", "spd-say", "espeak")
"""Programs that speak their argument: of macOS, of Linux desktops, of small systems."""


class Progress:
    """Shows one line that changes, and lines that stay.

    Args:
        speak: say announcements aloud too, where the system can.
        stream: where to write; standard output if None.
    """

    def __init__(self, *, speak: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._period_s = TERMINAL_PERIOD_S if self._terminal else PLAIN_PERIOD_S
        self._next_s = 0.0
        self._shown = self._gone = False
        self._speaker = next(filter(None, map(shutil.which, SPEAKERS)), None) if speak else None
        self._speaking: subprocess.Popen[bytes] | None = None

    def due(self) -> bool:
        """Whether it is time for `show` again: five times a second on a terminal, now and then elsewhere."""
        return time.monotonic() >= self._next_s

    def show(self, text: str) -> None:
        """Show the line that changes."""
        self._next_s = time.monotonic() + self._period_s
        # \r returns to the start of the line, \x1b[K clears what is left of the line before.
        self._write(f"\r{text}\x1b[K" if self._terminal else f"{text}\n")
        self._shown = self._terminal

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._shown else f"{text}\n")
        self._shown = False

    def announce(self, text: str) -> None:
        """Write a line that stays and speak it; a voice that fails or is still speaking is no reason to wait."""
        self.say(text)
        if self._speaker is None or (self._speaking is not None and self._speaking.poll() is None):
            return
        quiet = subprocess.DEVNULL
        try:
            self._speaking = subprocess.Popen([self._speaker, text], stdin=quiet, stdout=quiet, stderr=quiet)
        except OSError as error:
            log.debug("no speech: %s", error)

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self._shown:
            self._write("\n")
            self._shown = False

    def _write(self, text: str) -> None:
        """Write, as long as somebody reads: a terminal that was closed is no reason to lose an episode."""
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self._gone = True
            log.warning("progress is not shown any more: %s", error)
