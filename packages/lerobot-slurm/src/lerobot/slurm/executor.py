"""The engine `slurm`: shards as tasks of job arrays."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from lerobot.core.durable import replace_text
from lerobot.core.errors import JobError
from lerobot.core.signals import check_stop
from lerobot.core.words import counted
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.plan import Plan, load_plan
from lerobot.slurm import queue
from lerobot.slurm.config import SlurmExecutorConfig
from lerobot.slurm.log import told_error
from lerobot.slurm.script import array_script, launch_script

logger = logging.getLogger(__name__)

_LOOK_S = 0.2
"""How often it is asked whether the command shall stop."""


class SlurmExecutor:
    """Runs shards on a SLURM cluster; see `lerobot.jobs.executor.Executor` and `lerobot.jobs.launch.Launcher`.

    Args:
        config: what to ask the cluster for.
    """

    def __init__(self, config: SlurmExecutorConfig) -> None:
        self._config = config

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        """See `lerobot.jobs.executor.Executor.run`.

        What an earlier run submitted and is in the queue is found by the name of its job, and not submitted twice.

        Raises:
            JobError: a shard failed for good, sbatch refuses the job, or nothing shall be submitted.
            Stopped: the command was told to stop.
        """
        arrays = _Arrays(self._config, plan_file)
        waiting = set(shards)
        try:
            here = arrays.alive()
            arrays.submit(sorted(waiting - here.keys()))
            missed: set[int] = set()
            while waiting:
                _pause(self._config.poll_s)
                alive = arrays.alive_or_none()
                if alive is None:
                    continue
                for shard in sorted(waiting - alive.keys()):
                    if arrays.is_done(shard):
                        waiting.remove(shard)
                        ended(shard)
                # A receipt that another machine wrote may be seen later than the end of its task.
                gone = waiting - alive.keys()
                arrays.submit_again(sorted(gone & missed))
                missed = gone - missed
        except KeyboardInterrupt:
            arrays.leave()
            raise

    def launch(self, arguments: Sequence[str], *, nodes: int, processes_per_node: int, log_folder: Path) -> None:
        """See `lerobot.jobs.launch.Launcher.launch`; returns when the job is in the queue."""
        logs = log_folder.absolute()
        text = launch_script(self._config, arguments, nodes=nodes, processes_per_node=processes_per_node, logs=logs)
        script = logs / f"{arguments[0]}.sbatch"
        replace_text(script, text)
        for line in text.splitlines():
            logger.info("%s", line)
        if not self._config.submit:
            logger.info("nothing is submitted; to do it: sbatch %s", script)
            return
        job = queue.submit(script)
        logger.info("job %s is in the queue; its output: %s; to end it: scancel %s", job, logs / f"{job}.out", job)


class _Arrays:
    """The job arrays of one plan.

    Args:
        config: what to ask the cluster for.
        plan_file: the plan.
    """

    def __init__(self, config: SlurmExecutorConfig, plan_file: Path) -> None:
        self._config = config
        self._plan_file = plan_file
        self._plan: Plan = load_plan(plan_file)
        self._job = JobFolder(plan_file.parent)
        self._folder = plan_file.parent / "slurm"
        self._offsets = {
            f"lerobot-{self._plan.name}-{offset}": offset
            for offset in range(0, len(self._plan.shards), config.max_array)
        }
        self._tasks: dict[int, queue.Task] = {}
        self._submitted: Counter[int] = Counter()

    def alive(self) -> Mapping[int, queue.Task]:
        """Tasks that wait or run, by shard.

        Raises:
            JobError: the controller cannot be asked.
        """
        found = self.alive_or_none()
        if found is None:
            raise JobError("squeue does not say what is in the queue, so that nothing is submitted")
        return found

    def alive_or_none(self) -> Mapping[int, queue.Task] | None:
        """Likewise; None if the controller cannot be asked now."""
        tasks = queue.tasks(self._offsets)
        if tasks is None:
            return None
        found = {self._offsets[task.job] + task.index: task for task in tasks if task.job in self._offsets}
        self._tasks.update(found)
        return found

    def is_done(self, shard: int) -> bool:
        """Whether its receipt is there."""
        return self._job.receipt(self._plan.shards[shard], contents=False) is not None

    def submit(self, shards: Sequence[int]) -> None:
        """Put shards into the queue.

        Raises:
            JobError: sbatch refuses them, or nothing shall be submitted.
        """
        self._submitted.update(shards)
        scripts, before = [], ""
        for name, offset, some in self._by_array(shards):
            script = self._write(name, offset, some, before)
            scripts.append(script)
            if self._config.submit:
                array = queue.submit(script)
                self._tasks |= {shard: queue.Task(name, array, shard - offset) for shard in some}
                # Each array has its own limit of tasks at a time, so that two are not to run side by side.
                before = "" if self._config.workers is None else array
                logger.info("job array %s: %s; output in %s", array, counted(len(some), "shard"), self._folder)
        if scripts and not self._config.submit:
            raise JobError(
                f"{counted(len(shards), 'shard')} wait for being submitted, as --executor.submit=false asks for",
                expected=" && ".join(f"sbatch '{script}'" for script in scripts),
                hint="The same command without that flag then waits for them, and puts together what they made.",
            )

    def submit_again(self, shards: Sequence[int]) -> None:
        """Put shards into the queue whose tasks ended without them.

        Raises:
            JobError: one failed with an error, was submitted often enough, or was cancelled.
        """
        for shard in shards:
            task, times = self._tasks[shard], self._submitted[shard] or 1
            log = self._folder / f"{task.id}.out"
            if (told := told_error(log)) is not None:
                what = f"shard {shard} of {self._plan_file} failed: {told.what}"
                raise JobError(what, expected=told.expected, hint=told.hint)
            how = queue.end_of(task)
            if times >= self._config.attempts or how.startswith("CANCELLED"):
                raise JobError(
                    f"shard {shard} failed: {counted(times, 'task')} ended without a result, at last as {how}",
                    hint=f"what it printed: {log}; what is done is kept",
                )
            logger.warning("the task of shard %d ended as %s; it is submitted again", shard, how)
        self.submit(shards)

    def leave(self) -> None:
        """Say what goes on, or end it."""
        jobs = sorted({task.array for task in self._tasks.values()})
        if not jobs:
            return
        if self._config.cancel:
            queue.cancel(jobs)
            logger.info("cancelled: %s", " ".join(jobs))
        else:
            logger.info("the cluster goes on, and the same command waits for it; to end it: scancel %s", " ".join(jobs))

    def _by_array(self, shards: Sequence[int]) -> Iterator[tuple[str, int, list[int]]]:
        """Name and offset of arrays, and the shards of each."""
        size = self._config.max_array
        for number, some in groupby(shards, lambda shard: shard // size):
            yield f"lerobot-{self._plan.name}-{number * size}", number * size, list(some)

    def _write(self, name: str, offset: int, shards: Sequence[int], after: str) -> Path:
        text = array_script(
            self._config,
            name=name,
            plan_file=self._plan_file,
            offset=offset,
            tasks=[shard - offset for shard in shards],
            logs=self._folder,
            after=after,
        )
        script = self._folder / f"{offset}.sbatch"
        replace_text(script, text)
        return script


def _pause(seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check_stop()
        time.sleep(min(left, _LOOK_S))
