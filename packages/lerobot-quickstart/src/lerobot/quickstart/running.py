"""Running one command in a process of its own, as if it had been typed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lerobot.core.signals import Interrupted, StopSignals

_START = "from lerobot_cli import main; main()"
_LOOK_S = 0.2
_LAST_WAIT_S = 10.0

ENVIRONMENT = {"OMP_NUM_THREADS": "1"}
"""One thread of arithmetic per process: a second one helps so small a network little, and where another program wants
the processor too, the threads wait for each other and take three times as long."""


def run(command: tuple[str, ...], log: Path, signals: StopSignals, look: Callable[[], None]) -> int:
    """Run a `lerobot` command and wait for it.

    It does not share our terminal, so that Ctrl-C reaches it once, through us. The first signal lets it finish what it
    must, the second one interrupts it, and if it still does not end it is killed.

    Args:
        command: its name and flags.
        log: file its output is added to.
        signals: entered; says whether we were told to stop.
        look: called several times a second.

    Returns:
        Its exit code; negative if a signal killed it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, "-c", _START, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
            process_group=0,
        ) as process,
    ):
        try:
            return _follow(process, signals, look)
        except Interrupted as interruption:
            process.send_signal(interruption.number)
            try:
                return process.wait(_LAST_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()


def _follow(process: "subprocess.Popen[bytes]", signals: StopSignals, look: Callable[[], None]) -> int:
    told = False
    with signals.graceful():
        while (code := process.poll()) is None:
            if signals.received is not None and not told:
                process.send_signal(signals.received)
                told = True
            look()
            try:
                process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                continue
    return code


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log, without empty lines."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if line.strip()][-count:]
