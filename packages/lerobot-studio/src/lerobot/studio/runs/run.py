"""One command that the studio started, as its folder tells: `run.json`, `log.txt`, `input`, `control.txt`."""

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lerobot.core.durable import replace_text
from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json
from lerobot.studio.runs.processes import find_run, start_mark

RUNNING, ENDED = "running", "ended"
_LONGEST_START_S = 5.0
"""Longest time until the number of a process is written down; after that the studio died in between."""
_WORDS = re.compile(rb"^Control file .*: write one of ([a-z_, ]+) into it\.", re.MULTILINE)
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down about a run.

    Attributes:
        command: registered name.
        arguments: what the person chose, without what the studio adds.
        started_s: seconds since 1970.
        control_file: file that takes words in place of keys; None if the command has none.
        pid: number of its process; None until it is known.
        mark: of the process, see `start_mark`.
        ended_s: when it ended; None as long as it runs.
        code: its exit code; None if it ended while no studio was there to see.
        extra: what the studio adds to the arguments.
    """

    command: str
    arguments: list[str]
    started_s: float
    control_file: str | None = None
    pid: int | None = None
    mark: str = ""
    ended_s: float | None = None
    code: int | None = None
    extra: list[str] = field(default_factory=list)


class Run:
    """One command, running or ended; may be used from any thread.

    Args:
        folder: of the run.
        record: what is written down.
    """

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder = folder
        self.id = folder.name
        self._record = record
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def read(cls, folder: Path) -> "Run | None":
        """A run of an earlier studio; None if its folder tells of none, or another studio is starting it just now."""
        record = _read(folder)
        if record is None:
            return None
        run = cls(folder, record)
        if run.pid is None and run.ended_s is None:
            if time.time() - run.started_s < _LONGEST_START_S:
                return None
            pid = find_run(run.id)
            run._write(**({"pid": pid, "mark": start_mark(pid)} if pid else {"ended_s": run.started_s}))
        return run

    def begin(self, spawn: Callable[[], subprocess.Popen[bytes]]) -> None:
        """Write the run down, start its process and write that down too.

        Raises:
            OSError: it cannot be started; nothing of the run is left.
        """
        self._write()
        try:
            self._process = process = spawn()
        except (OSError, ValueError):
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._write(pid=process.pid, mark=start_mark(process.pid))
        threading.Thread(target=self._await_end, args=(process,), name=f"end of {self.id}", daemon=True).start()

    @property
    def command(self) -> str:
        """Registered name of the command."""
        return self._record.command

    @property
    def arguments(self) -> list[str]:
        """What the person chose."""
        return list(self._record.arguments)

    @property
    def started_s(self) -> float:
        """When it began, seconds since 1970."""
        return self._record.started_s

    @property
    def ended_s(self) -> float | None:
        """When it ended, as far as the studio saw; None as long as it runs."""
        return self._record.ended_s

    @property
    def pid(self) -> int | None:
        """Number of its process."""
        return self._record.pid

    @property
    def control_file(self) -> Path | None:
        """File that takes words, see `word`."""
        return Path(self._record.control_file) if self._record.control_file else None

    @property
    def line(self) -> str:
        """The command line, as a person would type it."""
        return shlex.join(["lerobot", self.command, *self.arguments, *self._record.extra])

    @property
    def code(self) -> int | None:
        """Exit code; None as long as it runs, and where nobody saw its end."""
        return self._record.code if self.state == ENDED else None

    @property
    def state(self) -> str:
        """`running` or `ended`."""
        with self._lock:
            if self._record.ended_s is not None:
                return ENDED
            if self._process is not None:
                return RUNNING if self._process.poll() is None else ENDED
            if self.pid is None or (self._record.mark and start_mark(self.pid) == self._record.mark):
                return RUNNING
            told = _read(self.folder)  # another studio may have seen its end
            if told is None or told.ended_s is None:
                self._write(ended_s=self._last_word_s())
            else:
                self._record = told
            return ENDED

    @property
    def size(self) -> int:
        """Bytes of the log so far."""
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    @property
    def log(self) -> Path:
        """File of everything the command said."""
        return self.folder / "log.txt"

    def tail(self, size: int = 16_384) -> str:
        """The end of the log as a terminal would show it: lines that were written over are left out, and colours."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.size - size))
                text = _ESCAPES.sub(b"", file.read()).decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))

    @property
    def words(self) -> list[str]:
        """Words that it takes, see `word`, as it said itself when it began."""
        try:
            with self.log.open("rb") as file:
                said = _WORDS.search(file.read(65_536))
        except OSError:
            return []
        return said[1].decode().split(", ") if said else []

    def write(self, line: str) -> None:
        """Answer a question of the command with a line, which its log shows as a terminal would.

        Raises:
            LeRobotError: it has ended, or takes no more.
        """
        self._require_running()
        try:
            descriptor = os.open(self.folder / "input", os.O_WRONLY | os.O_NONBLOCK)
            typed = line.replace("\n", " ").encode() + b"\n"
            try:
                with self.log.open("ab") as log:
                    log.write(typed)
                os.write(descriptor, typed)
            finally:
                os.close(descriptor)
        except OSError as error:
            why = "it has ended" if error.errno == errno.ENXIO else str(error.strerror)
            raise LeRobotError(f"{self.command} cannot be answered: {why}.") from error

    def word(self, text: str) -> None:
        """Give a word such as `next` to a command that takes them in place of keys.

        Raises:
            LeRobotError: it has ended, or takes none.
        """
        self._require_running()
        if self.control_file is None or not re.fullmatch(r"\w+", text):
            raise LeRobotError(f"{self.command} takes no word {text!r}.")
        with self.control_file.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def interrupt(self) -> None:
        """Do what Ctrl-C does: the first time the command ends in order, the second time at once.

        Raises:
            LeRobotError: it has ended.
        """
        self._require_running()
        try:
            os.killpg(self.pid or 0, signal.SIGINT)
        except ProcessLookupError as error:
            raise LeRobotError(f"{self.command} has ended.") from error

    def remove(self) -> None:
        """Forget the run and its log; what the command made stays.

        Raises:
            LeRobotError: it runs.
        """
        if self.state == RUNNING:
            raise LeRobotError(f"{self.command} runs.", hint="Interrupt it first.")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _require_running(self) -> None:
        if self.state != RUNNING:
            raise LeRobotError(f"{self.command} has ended.")

    def _await_end(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if self.folder.exists():
            self._write(ended_s=time.time(), code=code)

    def _last_word_s(self) -> float:
        try:
            return self.log.stat().st_mtime
        except OSError:
            return self.started_s

    def _write(self, **changes: Any) -> None:
        with self._lock:
            self._record = replace(self._record, **changes)
            replace_text(self.folder / "run.json", json.dumps(asdict(self._record), indent=1))


def _read(folder: Path) -> Record | None:
    try:
        return Record(**read_json(folder / "run.json"))
    except (OSError, ValueError, TypeError):
        return None
