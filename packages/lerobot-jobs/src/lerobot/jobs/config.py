"""Configurations of engines: where the shards of a job run."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PluginConfig


class ExecutorConfig(PluginConfig):
    """Choice of an engine; the plugins of `lerobot.executors`.

    `target` of one names a class that takes the configuration and is a `lerobot.jobs.executor.Executor`.
    """

    kind: ClassVar[str] = "executor"


class LocalExecutorConfig(ExecutorConfig):
    """Processes on this machine."""

    target = "lerobot.jobs.local:LocalExecutor"

    type: str = "local"
    workers: int | None = Field(default=None, ge=1, description="Processes; null: as many as there are cores.")
    attempts: int = Field(
        default=3, ge=1, description="How often a shard is begun whose process dies, such as for want of memory."
    )
