"""Looking at the episodes of a dataset on an engine, neighbouring files at a time; the dataset stays as it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.dataset_tools.edit.groups import files_of, joined, state_of
from lerobot.datasets.reader.source import EditSource
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Progress, Results, run_job
from lerobot.jobs.plan import Plan

Found = TypeVar("Found")


@dataclass(frozen=True)
class EpisodeShards:
    """What takes episodes to an engine; a subclass says which, and what for.

    Attributes:
        executor: the engine.
        megabytes: of source files for each shard.
        progress: is told about shards that are done.
    """

    executor: ExecutorConfig
    megabytes: float = SHARD_MEGABYTES
    progress: Progress = lambda _done, _total: None

    def rows(self, source: EditSource, camera: str | None, episodes: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Cut episodes into shards by the files that hold them; a file that changes makes another row."""
        for group in joined(files_of(source, camera, episodes), self.megabytes):
            yield {"episodes": sorted(chain.from_iterable(group.values())), "state": state_of(group)}

    def run(self, plan: Plan, root: Path, job: str, collect: Callable[[Results], Found]) -> Found:
        """Run a plan in a folder beside the dataset, and give what `collect` makes of the results.

        Raises:
            JobError: a shard failed for good.
        """
        return run_job(plan, root.with_name(f".{root.name}.{job}.job"), self.executor, collect, self.progress)
