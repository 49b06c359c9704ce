"""One command in many processes that find each other, as a training on several GPUs is: who starts it, and how."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from lerobot.core.errors import LeRobotError
from lerobot.core.signals import Interrupted

LAST_WAIT_S = 60.0
"""Seconds a command that was told to end has for what it must finish, such as a checkpoint."""


@runtime_checkable
class Launcher(Protocol):
    """An executor that can also start one command in many processes."""

    def launch(self, arguments: Sequence[str], *, nodes: int, processes_per_node: int, log_folder: Path) -> None:
        """Start `lerobot ARGUMENTS` in every process, with the environment variables that torchrun sets.

        An executor that waits for its work returns when the command ended; one that hands its work to a queue may
        return when it is accepted, and says so.

        Args:
            arguments: name of the command and its flags, without those that chose the executor.
            nodes: machines.
            processes_per_node: on each of them; one per GPU.
            log_folder: folder for what the processes print and for scripts; it is made.

        Raises:
            LeRobotError: it cannot be started here, or it failed.
        """
        ...


def launcher(executor: object, name: str) -> Launcher:
    """The executor as a launcher.

    Args:
        executor: what `ExecutorConfig.build` made.
        name: its registered name, for the error.

    Raises:
        LeRobotError: it cannot launch.
    """
    if not isinstance(executor, Launcher):
        raise LeRobotError(
            f"executor '{name}' runs plans, and cannot start one command in many processes",
            expected="an executor with a method launch: local, ray or slurm",
        )
    return executor


def command_line(arguments: Sequence[str]) -> list[str]:
    """`lerobot ARGUMENTS` of this interpreter, as words."""
    return [sys.executable, "-m", "lerobot_cli", *arguments]


def torchrun_line(arguments: Sequence[str], *options: str) -> list[str]:
    """`lerobot ARGUMENTS` of this interpreter under torchrun, as words.

    Args:
        arguments: name of the command and its flags.
        *options: of torchrun.
    """
    return [sys.executable, "-m", "torch.distributed.run", *options, "--module", "lerobot_cli", *arguments]


def launch_here(arguments: Sequence[str], *, processes: int, log_folder: Path) -> None:
    """Start a command in processes on this machine, and wait for it.

    What the first process prints goes where our own output goes; that of the others into `log_folder`.

    Args:
        arguments: name of the command and its flags.
        processes: how many.
        log_folder: folder for their output.

    Raises:
        LeRobotError: it failed.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    redirected = [f"--redirects={','.join(f'{rank}:3' for rank in range(1, processes))}"] if processes > 1 else []
    options = ["--standalone", f"--nproc-per-node={processes}", f"--log-dir={log_folder}", *redirected]
    with _started(torchrun_line(arguments, *options)) as process:
        code = process.wait()
    if code:
        raise LeRobotError(
            f"the {processes} processes ended with code {code}: lerobot {shlex.join(arguments)}",
            hint=f"What each process printed: {log_folder}",
        )


@contextmanager
def _started(line: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that gets the signals that end us, once each, and is waited for."""
    with subprocess.Popen(line, process_group=0 if os.name == "posix" else None) as process:
        try:
            yield process
        except KeyboardInterrupt as interruption:
            number = interruption.number if isinstance(interruption, Interrupted) else signal.SIGINT
            process.send_signal(number)
            try:
                process.wait(LAST_WAIT_S)
            except subprocess.TimeoutExpired:
                _kill(process)
            raise


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and what it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
