"""All runs: new ones are started, those of an earlier studio are found again."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lerobot.core.cli.names import command_kind
from lerobot.core.config import CommandConfig, load
from lerobot.core.config.arguments import DISCOVER
from lerobot.core.durable import make_folder
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.registry import registry
from lerobot.studio.answer import PLAIN, words_of
from lerobot.studio.inside.wire import RUN
from lerobot.studio.runs.run import RUNNING, Run


class NoRunError(LeRobotError, LookupError):
    """No run has this id."""


def nothing(_run: str) -> Mapping[str, str]:
    """No variables."""
    return {}


class Runs:
    """The commands that the studio started; may be used from any thread.

    Args:
        folder: holds a folder per run.
        environment: further variables of a command, from the id of its run.
    """

    def __init__(self, folder: Path, environment: Callable[[str], Mapping[str, str]] = nothing) -> None:
        self._folder = folder
        self._environment = environment
        self._runs: dict[str, Run] = {}

    def start(self, command: str, arguments: Sequence[str]) -> Run:
        """Start a command as a process of its own, which goes on when the studio or the browser ends.

        Args:
            command: registered name.
            arguments: as after the name on a command line; no shell reads them.

        Raises:
            LeRobotError: there is no such command, or it cannot be started.
        """
        model = registry.config_class(command_kind(command), command)
        run = Run(self._new_folder(command), command, list(arguments), takes_words=_takes_words(model, arguments))
        variables = {**os.environ, **PLAIN, "PYTHONUNBUFFERED": "1", RUN: run.id, **self._environment(run.id)}
        self._runs[run.id] = run
        try:
            run.begin(lambda: _spawn(run.folder, words_of(command, *arguments, *run.control), variables))
        except (OSError, ValueError) as error:
            del self._runs[run.id]
            raise LeRobotError(f"{command} cannot be started: {error}.") from error
        return run

    def all(self) -> list[Run]:
        """Every run, the newest first."""
        names = {folder.name for folder in self._folder.iterdir()} if self._folder.is_dir() else set()
        for name in names - self._runs.keys():
            if run := Run.read(self._folder / name):
                self._runs.setdefault(name, run)
        for name in self._runs.keys() - names:
            self._runs.pop(name, None)
        return sorted(self._runs.values(), key=lambda run: (run.started_s, run.id), reverse=True)

    def running(self) -> list[Run]:
        """Those that run, the newest first."""
        return [run for run in self.all() if run.state == RUNNING]

    def get(self, run: str) -> Run:
        """The run of an id.

        Raises:
            NoRunError: there is none.
        """
        for each in self.all():
            if each.id == run:
                return each
        raise NoRunError(f"There is no run {run!r}; it may have been removed.")

    def _new_folder(self, command: str) -> Path:
        make_folder(self._folder)
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{re.sub(r'[^A-Za-z0-9_-]', '_', command)}"
        for number in range(1, 1000):
            folder = self._folder / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder
        raise LeRobotError(f"{stem} cannot be started: there are too many.")


def _takes_words(model: type[CommandConfig], arguments: Sequence[str]) -> bool:
    """Whether a command takes a control file beside these arguments: `eval` does on a robot, in an environment not."""
    given = {word.partition("=")[0].lstrip("-").replace("-", "_") for word in arguments}
    if "control_file" not in model.model_fields or "control_file" in given:
        return False
    if any(flag.endswith(DISCOVER) for flag in given):  # only the command itself imports packages
        return True
    try:
        load(model, [*arguments, "--control_file=control.txt"])
    except ConfigError as error:
        return not any("--control_file" in problem.expected for problem in error.problems)
    except LeRobotError:
        return True
    return True


def _spawn(folder: Path, words: Sequence[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the process.

    Its input is a named pipe that it holds open at both ends itself: when the studio dies there is no end of input, and
    the next studio can answer.
    """
    os.mkfifo(folder / "input", mode=0o600)
    answers = os.open(folder / "input", os.O_RDWR)
    try:
        with (folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                words,
                stdin=answers,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )
    finally:
        os.close(answers)
