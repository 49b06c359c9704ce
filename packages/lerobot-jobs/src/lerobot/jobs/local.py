"""The engine that is always there: processes on this machine."""

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lerobot.core.errors import JobError
from lerobot.core.signals import check_stop
from lerobot.core.words import counted
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.launch import launch_here

logger = logging.getLogger(__name__)

_LOOK_S = 0.2
"""How often it is asked whether the command shall stop."""


class _Process:
    """A process with one shard at a time, and the thread that reads what it says.

    Args:
        plan_file: the plan.
        said: gets this object with each answer, and with None when the process is gone.
    """

    def __init__(self, plan_file: Path, said: "queue.Queue[tuple[_Process, dict[str, Any] | None]]") -> None:
        self.shard: int | None = None
        self._said = said
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lerobot.jobs.process", str(plan_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, name=f"shards of process {self._process.pid}", daemon=True)
        self._reader.start()

    def begin(self, shard: int) -> None:
        """Do a shard; if the process is gone, its reader says so."""
        self.shard = shard
        assert self._process.stdin is not None  # noqa: S101 # it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{shard}\n")
            self._process.stdin.flush()

    def end(self) -> int:
        """Let the process go, whatever it does; how it ended."""
        self._process.kill()
        code = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101 # both are pipes
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 # it is a pipe
        for line in self._process.stdout:
            self._said.put((self, json.loads(line)))
        self._said.put((self, None))


class LocalExecutor:
    """Runs shards in processes of this machine; see `lerobot.jobs.executor.Executor`.

    Args:
        config: how many, and how often a shard is tried.
    """

    def __init__(self, config: LocalExecutorConfig) -> None:
        self._config = config

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        """See `lerobot.jobs.executor.Executor.run`; processes that are busy at a stop or a failure are killed."""
        waiting, workers = deque(shards), self._config.workers or _cores()
        died: Counter[int] = Counter()
        said: queue.Queue[tuple[_Process, dict[str, Any] | None]] = queue.Queue()
        processes: set[_Process] = set()
        try:
            while waiting or processes:
                while waiting and len(processes) < workers:
                    process = _Process(plan_file, said)
                    processes.add(process)
                    process.begin(waiting.popleft())
                check_stop()
                try:
                    process, answer = said.get(timeout=_LOOK_S)
                except queue.Empty:
                    continue
                if process not in processes:
                    continue  # it had nothing left to do and was ended
                if answer is None:
                    processes.remove(process)
                    waiting.appendleft(self._again(process, died))
                    continue
                if "failed" in answer:
                    raise shard_failed(plan_file, **answer)
                ended(answer["ended"])
                if waiting:
                    process.begin(waiting.popleft())
                else:
                    processes.remove(process)
                    process.end()
        finally:
            for process in processes:
                process.end()

    def launch(self, arguments: Sequence[str], *, nodes: int, processes_per_node: int, log_folder: Path) -> None:
        """See `lerobot.jobs.launch.Launcher.launch`; the command is waited for."""
        if nodes > 1:
            raise JobError(
                f"executor 'local' has one machine, and {nodes} are asked for", expected="--executor.type=slurm or ray"
            )
        launch_here(arguments, processes=processes_per_node, log_folder=log_folder)

    def _again(self, process: _Process, died: Counter[int]) -> int:
        """The shard of a process that died, which is begun again."""
        code, shard = process.end(), process.shard
        assert shard is not None  # noqa: S101 # a process is only started for a shard
        died[shard] += 1
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if died[shard] >= self._config.attempts:
            raise JobError(
                f"shard {shard} failed: its process died {counted(died[shard], 'time')}, at last by {how}",
                hint="signal 9 is often a lack of memory: fewer --executor.workers need less; what is done is kept",
            )
        logger.warning("the process of shard %d died by %s; the shard is begun again", shard, how)
        return shard


def shard_failed(plan_file: Path, failed: int, what: str, expected: str, hint: str) -> JobError:
    """The error of a job whose shard failed for good.

    Args:
        plan_file: the plan.
        failed: number of the shard.
        what: see `LeRobotError`.
        expected: likewise.
        hint: likewise.
    """
    return JobError(f"shard {failed} of {plan_file} failed: {what}", expected=expected, hint=hint)


def _cores() -> int:
    """Cores that this process may use."""
    # Where a system cannot bind processes to cores, Python has no such function.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
