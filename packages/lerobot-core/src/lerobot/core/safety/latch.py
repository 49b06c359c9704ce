"""The latched stop: once it is set nothing moves, in any loop of this user on this computer, until it is released.

The stop is a file, `<home>/run/stop.json`. Every gate looks whether it is there before every command (1 us), so a stop
needs no connection to the loop that it stops, holds after a crash or a reboot, and meets loops that begin later.
"""

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from lerobot.core.durable import flush_file, flush_folder, make_folder
from lerobot.core.errors import SafetyError
from lerobot.core.json_file import read_json
from lerobot.core.paths import lerobot_home

log = logging.getLogger(__name__)

STOPPED = "stopped"
"""Why a command was not followed while a stop is latched."""

RELEASE = "lerobot stop --release"


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop that is latched.

    Attributes:
        reason: why, in words.
        source: who set it: a command, a signal, a hook, a page.
        time_s: when, in seconds since 1970.
    """

    reason: str
    source: str
    time_s: float

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.time_s))
        return f"stopped by {self.source} ({self.reason}) at {when}"


class Latch:
    """A stop that anybody may set, and that only a deliberate act releases.

    `set` and `release` may be called from any thread and any process; `present` costs a microsecond.

    Args:
        folder: where the file is.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stop.json"
        self._name = str(self.path)
        self._known: Stop | None = None
        self._is_unwritten = False

    @property
    def present(self) -> Stop | None:
        """The stop that is latched; None if nothing is."""
        if os.access(self._name, os.F_OK):
            self._known = self._known or self._read()
        elif not self._is_unwritten:
            self._known = None
        return self._known

    def set(self, reason: str, source: str) -> Stop:
        """Stop everything. Where the disk does not take the file, what runs in this process is stopped all the same.

        Args:
            reason: why, in words.
            source: who does it.
        """
        stop = Stop(reason, source, time.time())
        # First of all here: whatever becomes of the file, the next command of this process is not followed.
        self._is_unwritten, self._known = True, stop
        try:
            self._write(stop)
        except OSError as error:
            log.critical("%s holds in this process only, because %s cannot be written: %s", stop, self.path, error)
        else:
            self._is_unwritten = False
        return stop

    def _write(self, stop: Stop) -> None:
        make_folder(self.path.parent)
        aside = self.path.with_name(f".stop-{os.getpid()}-{time.monotonic_ns()}")
        try:
            aside.write_text(json.dumps(asdict(stop)), encoding="utf-8")
            aside.replace(self.path)
        finally:
            aside.unlink(missing_ok=True)
        # Seen by every loop from here on. That it outlives a power cut takes the disk a while, which no loop waits for.
        threading.Thread(target=self._flush, name="stop").start()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):  # it may be released already
            flush_file(self.path)
            flush_folder(self.path.parent)

    def release(self, who: str) -> Stop | None:
        """Let everything move again; robots begin softly from where they are.

        Args:
            who: who does it.

        Returns:
            The stop that was latched; None if nothing was.

        Raises:
            OSError: the file cannot be removed, so the stop stays.
        """
        stop = self.present
        self.path.unlink(missing_ok=True)
        self._is_unwritten, self._known = False, None
        if stop is not None:
            log.debug("%s, released by %s", stop, who)
        return stop

    def require_free(self) -> None:
        """Check that nothing is stopped, before motors get power.

        Raises:
            SafetyError: a stop is latched; says which.
        """
        if (stop := self.present) is not None:
            raise SafetyError(f"{stop}: nothing may move.", hint=f"When it is safe: {RELEASE}")

    def _read(self) -> Stop:
        # Whatever stands in the file, and whoever made it: that it exists is the stop.
        try:
            told = read_json(self.path)
            return Stop(str(told["reason"]), str(told["source"]), float(told["time_s"]))
        except (OSError, ValueError, TypeError, KeyError):
            return Stop("no reason given", str(self.path), time.time())


def stop_latch() -> Latch:
    """The stop of this user on this computer."""
    return _latch(lerobot_home() / "run")


@cache
def _latch(folder: Path) -> Latch:
    return Latch(folder)
