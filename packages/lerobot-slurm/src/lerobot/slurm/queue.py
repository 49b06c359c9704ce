"""What SLURM's own commands say and do: sbatch, squeue, sacct, scancel."""

import getpass
import logging
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import JobError

logger = logging.getLogger(__name__)

_PATIENCE_S = 120
"""A busy controller answers late; one that does not answer at all must not hold us for ever."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task of an array that waits or runs.

    Attributes:
        job: name of its job.
        array: id of the array.
        index: number of the task in it.
    """

    job: str
    array: str
    index: int

    @property
    def id(self) -> str:
        """As SLURM writes it."""
        return f"{self.array}_{self.index}"


def submit(script: Path) -> str:
    """Submit a script; the id of its job.

    Raises:
        JobError: it is refused, or there is no sbatch.
    """
    # A cluster's name may stand behind the id.
    return _said("sbatch", "--parsable", str(script)).strip().partition(";")[0]


def tasks(names: Iterable[str]) -> list[Task] | None:
    """The tasks of jobs of these names that wait or run; None if the controller cannot be asked now.

    Raises:
        JobError: there is no squeue.
    """
    options = ("--noheader", "--array", f"--user={getpass.getuser()}", f"--name={','.join(names)}", "--format=%j|%F|%K")
    try:
        said = _said("squeue", *options)
    except _RefusedError as error:
        logger.warning("%s; asked again later", error.what)
        return None
    fields = [line.strip().split("|") for line in said.splitlines() if line.strip()]
    return [Task(job, array, int(index)) for job, array, index in fields]


def end_of(task: Task) -> str:
    """How a task ended, such as `TIMEOUT` or `FAILED, exit code 1:0`; `unknown` where nobody keeps account."""
    try:
        said = _said(
            "sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={task.id}", "--format=State,ExitCode"
        )
    except JobError:
        return "unknown"
    lines = [line for line in said.splitlines() if line.strip()]
    if not lines:
        return "unknown"
    state, _, code = lines[-1].partition("|")
    return state if code in {"", "0:0"} else f"{state}, exit code {code}"


def cancel(jobs: Sequence[str]) -> None:
    """Cancel what waits and runs of jobs of these ids.

    Raises:
        JobError: it is refused.
    """
    _said("scancel", *jobs)


class _RefusedError(JobError):
    """A command ended with an error."""


def _said(command: str, *options: str) -> str:
    try:
        done = subprocess.run(
            [command, *options], capture_output=True, text=True, timeout=_PATIENCE_S, check=False, encoding="utf-8"
        )
    except FileNotFoundError as error:
        raise JobError(
            f"there is no {command} on this machine",
            expected="a machine from which jobs of a SLURM cluster are submitted",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _RefusedError(f"{command} did not answer in {_PATIENCE_S} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise _RefusedError(f"{command} failed: {lines[0]}")
    return done.stdout
