"""What an engine does for a job."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol


class Executor(Protocol):
    """Runs shards somewhere, in any order."""

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        """Run shards until each has a receipt; on every machine each is `lerobot.jobs.shard.run_shard`.

        Args:
            plan_file: the plan, in the folder of its job.
            shards: their numbers.
            ended: called in this thread with the number of each shard whose receipt is there.

        Raises:
            JobError: a shard failed for good; names it.
            Stopped: the command was told to stop; what is done stays done.
        """
        ...
