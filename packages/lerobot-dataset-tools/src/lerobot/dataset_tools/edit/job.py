"""An edit or import whose work is done in shards, on an engine, and put in place in one step.

The folder of the job lies beside the dataset and holds all shards until the result is in place. What was built is
remembered by the number of its folder on the disk, which renaming does not change: so the same command knows, after a
kill, whether the step was done.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lerobot.core.durable import replace_text
from lerobot.core.json_file import read_json
from lerobot.core.paths import user_path
from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Progress, Results, discard, run_job
from lerobot.jobs.plan import Plan

_BUILT = "built.json"

Committed = TypeVar("Committed")


def job_folder(place: Path) -> Path:
    """Where the job of the dataset that is to stand at `place` lies."""
    place = user_path(place).absolute()
    return place.with_name(f".{place.name}.job")


@dataclass(frozen=True, slots=True)
class ShardedWork:
    """How an edit or import is done in shards.

    Attributes:
        executor: the engine.
        request: what was asked for, as JSON; it tells a command that is given again from another one.
        megabytes: of source files for each shard.
        progress: is told about shards that are done.
    """

    executor: ExecutorConfig
    request: Mapping[str, Any]
    megabytes: float = SHARD_MEGABYTES
    progress: Progress = lambda _done, _total: None

    def was_done(self, place: Path) -> bool:
        """Whether this was put in place before, by a process that was killed right after; its job is removed then.

        Args:
            place: where the result stands.
        """
        folder = job_folder(place)
        try:
            built = read_json(folder / _BUILT)
        except FileNotFoundError:
            return False
        if not place.exists() or place.stat().st_ino != built["folder"]:
            return False
        discard(folder)
        return bool(built["request"] == dict(self.request))

    def run(self, plan: Plan, place: Path, commit: Callable[[Results, Callable[[Path], None]], Committed]) -> Committed:
        """Run the shards and put their results in place.

        Args:
            plan: the shards.
            place: where the result goes.
            commit: is given the results, and what to call with the folder that was built right before it is put in
                place in one step.

        Raises:
            JobError: a shard failed for good, or the job is of another command. What is done is kept.
            LeRobotError: the result could not be put in place.
        """
        folder = job_folder(place)

        def built(result: Path) -> None:
            remembered = {"folder": result.stat().st_ino, "request": dict(self.request)}
            replace_text(folder / _BUILT, json.dumps(remembered))

        return run_job(plan, folder, self.executor, lambda results: commit(results, built), self.progress)
