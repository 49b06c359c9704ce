"""Running commands, each in a process of its own, as if it had been typed."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from lerobot.core.signals import Interrupted, StopSignals

_START = "from lerobot_cli import main; main()"
_LOOK_S = 0.2
_LAST_WAIT_S = 10.0

ENVIRONMENT = {"OMP_NUM_THREADS": "1"}
"""One thread of arithmetic per process: a second one helps so small a network little, and where another program wants
the processor too, the threads wait for each other and take three times as long."""


Job = tuple[tuple[str, ...], Path]
"""A `lerobot` command, name and flags, and the file its output is added to."""


def run(jobs: Sequence[Job], signals: StopSignals, look: Callable[[], None]) -> list[int]:
    """Run `lerobot` commands side by side and wait for all of them.

    They do not share our terminal, so that Ctrl-C reaches each once, through us. The first signal lets them finish what
    they must, the second one interrupts them, and what still does not end is killed. Where one fails, the others go on
    to their end.

    Args:
        jobs: what to run.
        signals: entered; says whether we were told to stop.
        look: called several times a second.

    Returns:
        Their exit codes; negative if a signal killed one.
    """
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        try:
            with signals.graceful():
                for command, log in jobs:
                    processes.append(stack.enter_context(_started(command, log)))
                _follow(processes, signals, look)
        except Interrupted as interruption:
            for process in processes:
                process.send_signal(interruption.number)
            for process in processes:
                _end(process)
    return [process.wait() for process in processes]


def _started(command: tuple[str, ...], log: Path) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", _START, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
            process_group=0,
        )


def _follow(processes: "Sequence[subprocess.Popen[bytes]]", signals: StopSignals, look: Callable[[], None]) -> None:
    told = False
    while running := [process for process in processes if process.poll() is None]:
        if signals.received is not None and not told:
            for process in running:
                process.send_signal(signals.received)
            told = True
        look()
        try:
            running[0].wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            continue


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_LAST_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log, without empty lines."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if line.strip()][-count:]
