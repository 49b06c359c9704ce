"""Which loops run on this computer, so that whoever stops them learns which ones hold.

Each running session keeps a small file in `<home>/run/loops`, locked for as long as its process lives: a file without a
lock is what a killed process left behind.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lerobot.core.durable import make_folder
from lerobot.core.paths import lerobot_home

log = logging.getLogger(__name__)

_here: "list[LoopEntry]" = []


@dataclass(frozen=True, slots=True)
class RunningLoop:
    """A session of some process.

    Attributes:
        pid: its process.
        robot: what it drives.
        holds_since_s: when it first held because of a stop, in seconds since 1970; None if it has not.
    """

    pid: int
    robot: str
    holds_since_s: float | None

    def __str__(self) -> str:
        return f"{self.robot} (process {self.pid})"


class LoopEntry:
    """The file of a session of this process.

    Args:
        file: open and locked.
        path: its name.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def tell(self, holds: bool) -> None:
        """Say whether the loop holds because of a stop."""
        with contextlib.suppress(OSError):  # a full disk keeps nobody from holding
            self._file.write(json.dumps({"holds_since_s": time.time() if holds else None}).encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """The session is over."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def announced(robot: object) -> Iterator[None]:
    """Let others know that a session drives a robot; without a disk to write on it runs unannounced.

    Args:
        robot: what is driven; its text names it.
    """
    entry = _announce(str(robot))
    if entry is None:
        yield
        return
    _here.append(entry)
    try:
        yield
    finally:
        _here.remove(entry)
        entry.close()


def tell_loops(*, hold: bool) -> None:
    """Say for every session of this process that it holds, or moves again."""
    for entry in tuple(_here):
        entry.tell(hold)


def running_loops() -> list[RunningLoop]:
    """List the loops of this user on this computer; forgets those whose process is gone."""
    folder = _folder()
    found = []
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        with contextlib.suppress(OSError), path.open("rb") as file:
            loop = _parsed(file.read())
            if _is_left_behind(file, path):
                path.unlink(missing_ok=True)
            elif loop is not None:
                found.append(loop)
    return found


def _folder() -> Path:
    return lerobot_home() / "run" / "loops"


def _announce(robot: str) -> LoopEntry | None:
    path = _folder() / f"{os.getpid()}-{time.monotonic_ns()}.jsonl"
    try:
        make_folder(path.parent)
        file = path.open("ab")
        try:
            _lock(file)
            file.write(json.dumps({"pid": os.getpid(), "robot": robot}).encode() + b"\n")
            file.flush()
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        log.warning("`lerobot stop` stops this run, but cannot name it: %s", error)
        return None
    return LoopEntry(file, path)


def _lock(file: BinaryIO) -> None:
    if os.name == "nt":  # files that are open cannot be removed there: see `_is_left_behind`
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_left_behind(file: BinaryIO, path: Path) -> bool:
    """Whether no process holds the file any more."""
    if os.name == "nt":
        file.close()
        try:
            path.unlink()
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parsed(content: bytes) -> RunningLoop | None:
    """What a file says; None while its first line is being written."""
    try:
        first, *states = [json.loads(line) for line in content.splitlines()]
        holds = states[-1]["holds_since_s"] if states else None
        return RunningLoop(int(first["pid"]), str(first["robot"]), holds)
    except (ValueError, TypeError, KeyError):
        return None
