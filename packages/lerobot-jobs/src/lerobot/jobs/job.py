"""A job from its plan to its one commit, resumable at every instant."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, overload

from lerobot.core.durable import flush_folder, replace_text
from lerobot.core.errors import JobError
from lerobot.core.paths import user_path
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.executor import Executor
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.plan import Plan, digest, load_plan

Progress = Callable[[int, int], None]
"""Called at the begin and after each shard: shards that are done, shards of the plan."""

Committed = TypeVar("Committed")


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What a shard came to.

    Attributes:
        row: the shard's.
        folder: its files.
        data: what its worker said about them.
    """

    row: dict[str, Any]
    folder: Path
    data: dict[str, Any]


class Results(Sequence[ShardResult]):
    """The results of all shards, in the order of the plan; each is read from the disk when it is asked for.

    Args:
        plan: the job.
        job: its folder.
    """

    def __init__(self, plan: Plan, job: JobFolder) -> None:
        self._plan = plan
        self._job = job
        self._numbers = {shard.name: number for number, shard in enumerate(plan.shards)}

    def of_row(self, row: Mapping[str, Any]) -> ShardResult:
        """The result of the shard with this row.

        Raises:
            KeyError: the plan has no such row.
            JobError: see `__getitem__`.
        """
        return self[self._numbers[digest([self._plan.worker, self._plan.settings, row])]]

    def __len__(self) -> int:
        """Number of shards."""
        return len(self._plan.shards)

    @overload
    def __getitem__(self, index: int) -> ShardResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[ShardResult]: ...
    def __getitem__(self, index: int | slice) -> ShardResult | list[ShardResult]:
        """Results by number.

        Raises:
            JobError: a result is gone, or not what its receipt says.
        """
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        shard = self._plan.shards[index]
        receipt = self._job.receipt(shard, contents=False)
        if receipt is None:
            raise JobError(
                f"shard {index} has no result in {self._job.path}", hint="run the same command again: it goes on"
            )
        return ShardResult(shard.row, self._job.result(shard), receipt.data)


def run_job(
    plan: Plan,
    folder: Path,
    executor: ExecutorConfig,
    commit: Callable[[Results], Committed],
    progress: Progress = lambda _done, _total: None,
    *,
    keep: bool = False,
) -> Committed:
    """Run what is left of a job, and put its shards together in one step.

    Args:
        plan: the job.
        folder: of the job, kept until it is committed; one of the same plan that was cut off goes on.
        executor: the engine.
        commit: puts the results in place, in one step. After a kill it may be called again, with the same results: it
            has to know its own work.
        progress: is told about shards that are done.
        keep: keep the folder.

    Returns:
        What `commit` returns.

    Raises:
        JobError: the folder is of another plan, another process drives it, or a shard failed for good. What is done is
            kept.
        LeRobotError: the commit failed; what is done is kept.
    """
    job = JobFolder(user_path(folder).absolute())
    with job.driving():
        _begin(plan, job)
        total = len(plan.shards)
        pending = [index for index, shard in enumerate(plan.shards) if job.receipt(shard, contents=True) is None]
        done = total - len(pending)
        progress(done, total)

        def ended(_index: int) -> None:
            nonlocal done
            done += 1
            progress(done, total)

        if pending:
            engine: Executor = executor.build()
            engine.run(job.plan_file, pending, ended)
        committed = commit(Results(plan, job))
    if not keep:
        discard(job.path)
    return committed


def discard(folder: Path) -> None:
    """Remove the folder of a job that is committed; after a kill in the middle it is no longer taken for one."""
    gone = folder.with_name(f"{folder.name}.done")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    flush_folder(folder.parent)
    shutil.rmtree(gone)


def _begin(plan: Plan, job: JobFolder) -> None:
    """Write the plan, or recognise it."""
    if not job.plan_file.exists():
        replace_text(job.plan_file, plan.to_json())
        return
    known = load_plan(job.plan_file)
    if known.name != plan.name:
        raise JobError(
            f"{job.path} holds another job that was cut off: {known.name} of worker {known.worker!r}, "
            f"not {plan.name} of {plan.worker!r}",
            expected="the command that began it, which goes on",
            hint="or remove the folder, with what was done so far",
        )
