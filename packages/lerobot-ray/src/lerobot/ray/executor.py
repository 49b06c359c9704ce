"""The engine `ray`: shards as tasks of a Ray cluster."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from lerobot.core.errors import JobError
from lerobot.core.signals import check_stop
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.plan import Plan, load_plan
from lerobot.ray.cluster import joined
from lerobot.ray.config import RayExecutorConfig
from lerobot.ray.task import do_shard

_LOOK_S = 0.2
"""How often it is asked whether the command shall stop."""
_MOST_AT_ONCE = 1000
"""Tasks that Ray is told about at a time: it keeps all of them in memory."""


class RayExecutor:
    """Runs shards on a Ray cluster; see `lerobot.jobs.executor.Executor` and `lerobot.jobs.launch.Launcher`.

    Args:
        config: which cluster, and what a shard reserves there.
    """

    def __init__(self, config: RayExecutorConfig) -> None:
        self._config = config

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        """See `lerobot.jobs.executor.Executor.run`; at a stop or a failure the tasks that run are killed."""
        config, plan, job = self._config, load_plan(plan_file), JobFolder(plan_file.parent)
        task = ray.remote(do_shard).options(
            name="lerobot shard",
            num_cpus=config.num_cpus,
            num_gpus=config.num_gpus,
            resources=config.resources or None,
            max_retries=config.attempts - 1,
        )
        waiting, running = deque(shards), dict[Any, int]()
        with joined(config):
            try:
                while waiting or running:
                    while waiting and len(running) < (config.workers or _MOST_AT_ONCE):
                        shard = waiting.popleft()
                        running[task.remote(str(plan_file), shard, str(Path.cwd()))] = shard
                    check_stop()
                    done, _ = ray.wait(list(running), timeout=_LOOK_S)
                    for each in done:
                        shard = running.pop(each)
                        _require_done(each, shard, plan, job)
                        ended(shard)
            finally:
                for each in running:
                    ray.cancel(each, force=True)

    def launch(self, arguments: Sequence[str], *, nodes: int, processes_per_node: int, log_folder: Path) -> None:
        """See `lerobot.jobs.launch.Launcher.launch`; Ray's TorchTrainer starts the processes, and it is waited for."""
        # Ray's trainer needs torch and more, which a conversion of recordings does not.
        try:
            from lerobot.ray.trainer import train
        except ImportError as error:
            raise JobError(
                f"Ray's trainer cannot be imported: {error}", hint="uv pip install './packages/lerobot-ray[train]'"
            ) from error

        train(self._config, arguments, processes=nodes * processes_per_node, log_folder=log_folder.absolute())


def _require_done(task: Any, shard: int, plan: Plan, job: JobFolder) -> None:
    """Check that a task that ended did its shard.

    Raises:
        JobError: it did not.
    """
    try:
        failed = ray.get(task)
    except RayTaskError as error:
        # Its text is the traceback on the node, of which the last line is the error.
        raise JobError(f"shard {shard} of {job.plan_file} failed: {str(error).strip().splitlines()[-1]}") from error
    except RayError as error:
        raise JobError(
            f"shard {shard} failed: its process died too often, at last with {type(error).__name__}",
            hint="it is often a lack of memory: a larger --executor.num_cpus leaves room for fewer at a time",
        ) from error
    if failed is not None:
        what = f"shard {shard} of {job.plan_file} failed: {failed['what']}"
        raise JobError(what, expected=failed["expected"], hint=failed["hint"])
    if job.receipt(plan.shards[shard], contents=False) is None:
        raise JobError(
            f"a node did shard {shard}, and its result is not in {job.path} here",
            expected="the folder of a job where every node has it under the same path, such as on NFS",
        )
