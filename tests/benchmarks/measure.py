"""What the benchmarks share: run a process, weigh it, print a table."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished process: seconds on the wall, peak resident megabytes, exit code, output."""

    wall_s: float
    peak_mb: float
    code: int
    output: str


def run(command: Sequence[str], **environment: str) -> Run:
    """Run a command to its end, with byte code allowed to be cached as on a user's machine."""
    env = {**os.environ, **environment}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    assert process.stdout
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall, usage.ru_maxrss / 1024, process.returncode, output)


def median_run(command: Sequence[str], repeats: int, **environment: str) -> Run:
    """Run once to warm the caches, then `repeats` times; medians of time and memory."""
    run(command, **environment)
    runs = [run(command, **environment) for _ in range(repeats)]
    wall = statistics.median(item.wall_s for item in runs)
    peak = statistics.median(item.peak_mb for item in runs)
    return Run(wall, peak, max(item.code for item in runs), runs[-1].output)


def script(name: str) -> str:
    """The console script of this environment."""
    return str(Path(sys.executable).parent / name)


def peer_script(name: str) -> str | None:
    """A console script of the peer's environment, or None where LEROBOT_PEER_PYTHON is unset."""
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    return str(Path(python).parent / name) if python else None


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> None:
    """Print rows in columns."""
    texts = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    for row in texts:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
