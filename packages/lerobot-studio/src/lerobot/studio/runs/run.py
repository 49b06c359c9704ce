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
from dataclasses import dataclass, field
from pathlib import Path

from lerobot.core.durable import replace_text
from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json
from lerobot.studio.runs.processes import find_run, start_mark

RUNNING, ENDED = "running", "ended"
_LONGEST_START_S = 5.0
"""Longest time until the number of a process is written down; after that the studio died in between."""
_WRITTEN = ("command", "arguments", "started_s", "takes_words", "pid", "mark", "ended_s", "code")
_WORDS = re.compile(rb"^Control file .*: write one of ([a-z_, ]+) into it\.", re.MULTILINE)
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(eq=False)
class Run:
    """One command, running or ended; may be used from any thread.

    Attributes:
        folder: of the run.
        command: registered name.
        arguments: what the person chose, without what the studio adds.
        started_s: seconds since 1970.
        takes_words: whether it takes words in place of keys, see `word`.
        pid: number of its process; None until it is known.
        mark: of the process, see `start_mark`.
        ended_s: when it ended; None as long as it runs.
        code: its exit code; None as long as it runs, and if it ended while no studio was there to see.
    """

    folder: Path
    command: str
    arguments: list[str]
    started_s: float = field(default_factory=time.time)
    takes_words: bool = False
    pid: int | None = None
    mark: str = ""
    ended_s: float | None = None
    code: int | None = None
    _process: "subprocess.Popen[bytes] | None" = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def read(cls, folder: Path) -> "Run | None":
        """A run of an earlier studio; None if its folder tells of none, or another studio is starting it just now."""
        try:
            run = cls(folder, **read_json(folder / "run.json"))
        except (OSError, ValueError, TypeError):
            return None
        if run.pid is None and run.ended_s is None:
            if time.time() - run.started_s < _LONGEST_START_S:
                return None
            run.pid = find_run(run.id)
            run.mark, run.ended_s = (start_mark(run.pid), None) if run.pid else ("", run.started_s)
            run.write_down()
        return run

    def begin(self, spawn: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        """Write the run down, start its process and write that down too.

        Raises:
            OSError: it cannot be started; nothing of the run is left.
        """
        self.write_down()
        try:
            self._process = spawn()
        except (OSError, ValueError):
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.pid, self.mark = self._process.pid, start_mark(self._process.pid)
        self.write_down()
        threading.Thread(target=self._await_end, args=(self._process,), name=f"end of {self.id}", daemon=True).start()

    @property
    def id(self) -> str:
        """Name of its folder."""
        return self.folder.name

    @property
    def log(self) -> Path:
        """File of everything the command said."""
        return self.folder / "log.txt"

    @property
    def size(self) -> int:
        """Bytes of the log so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    @property
    def control(self) -> list[str]:
        """The argument that the studio adds, so that it can give words."""
        return [f"--control_file={self.folder / 'control.txt'}"] if self.takes_words else []

    @property
    def line(self) -> str:
        """The command line, as a person would type it."""
        return shlex.join(["lerobot", self.command, *self.arguments, *self.control])

    @property
    def state(self) -> str:
        """`running` or `ended`."""
        with self._lock:
            is_own = self._process is not None or self.pid is None
            if self.ended_s is None and not is_own and (not self.mark or start_mark(self.pid or 0) != self.mark):
                told = Run.read(self.folder)  # another studio may have seen its end
                last_sign_s = self.log.stat().st_mtime if self.log.exists() else self.started_s
                self.ended_s = told.ended_s if told and told.ended_s else last_sign_s
                self.code = told.code if told else None
                self.write_down()
            return RUNNING if self.ended_s is None else ENDED

    @property
    def words(self) -> list[str]:
        """Words that it takes, see `word`, as it said itself when it began."""
        try:
            with self.log.open("rb") as file:
                said = _WORDS.search(file.read(65_536))
        except OSError:
            return []
        return said[1].decode().split(", ") if said else []

    def tail(self, size: int = 16_384) -> str:
        """The end of the log as a terminal would show it: lines that were written over are left out, and colours."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.size - size))
                text = _ESCAPES.sub(b"", file.read()).decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))

    def write(self, line: str) -> None:
        """Answer a question of the command with a line, which its log shows as a terminal would.

        Raises:
            LeRobotError: it has ended, or takes no more.
        """
        self._require_running()
        typed = line.replace("\n", " ").encode() + b"\n"
        try:
            descriptor = os.open(self.folder / "input", os.O_WRONLY | os.O_NONBLOCK)
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
            LeRobotError: it has ended, or takes none, or none yet.
        """
        self._require_running()
        file = self.folder / "control.txt"
        # The command makes the file; one that holds something before that is refused by it.
        if not re.fullmatch(r"\w+", text) or not file.exists():
            raise LeRobotError(f"{self.command} takes no word {text!r} now.")
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{text}\n")

    def interrupt(self) -> None:
        """Do what Ctrl-C does: the first time the command ends in order, the second time at once.

        Raises:
            LeRobotError: it has ended, or has hardly begun.
        """
        self._require_running()
        try:
            if self.pid is None:
                raise LeRobotError(f"{self.command} is only being started.")
            os.killpg(self.pid, signal.SIGINT)
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

    def write_down(self) -> None:
        """Keep what is known of the run, for the next studio."""
        with self._lock:
            told = {name: getattr(self, name) for name in _WRITTEN}
            replace_text(self.folder / "run.json", json.dumps(told, indent=1))

    def _require_running(self) -> None:
        if self.state != RUNNING:
            raise LeRobotError(f"{self.command} has ended.")

    def _await_end(self, process: "subprocess.Popen[bytes]") -> None:
        code = process.wait()
        self.code, self.ended_s = code, time.time()
        if self.folder.exists():
            self.write_down()
