"""Configurations of engines: where the shards of a job run."""

import os
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PluginConfig


class ExecutorConfig(PluginConfig):
    """Choice of an engine; the plugins of `lerobot.executors`.

    `target` of one names a class that takes the configuration and is a `lerobot.jobs.executor.Executor`.
    """

    kind: ClassVar[str] = "executor"


def _cores() -> int:
    """Cores that this process may use."""
    # Where a system cannot bind processes to cores, Python has no such function.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalExecutorConfig(ExecutorConfig):
    """Processes on this machine."""

    target = "lerobot.jobs.local:LocalExecutor"

    type: str = "local"
    workers: int = Field(default_factory=_cores, ge=1, description="Processes; default: as many as there are cores.")
    attempts: int = Field(
        default=3, ge=1, description="How often a shard is begun whose process dies, such as for want of memory."
    )
