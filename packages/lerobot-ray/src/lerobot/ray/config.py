"""Configuration of the engine `ray`."""

from typing import Any

from pydantic import Field

from lerobot.jobs.config import ExecutorConfig


class RayExecutorConfig(ExecutorConfig):
    """A Ray cluster, or one on this machine.

    All nodes see the folder of the job under the path that it has here. Whoever can reach a Ray cluster can run
    anything on it: it is one trust domain.
    """

    target = "lerobot.ray.executor:RayExecutor"

    type: str = "ray"
    address: str | None = Field(
        default=None,
        description="Where the cluster is: auto for that of this machine, HOST:PORT, or ray://HOST:PORT; null: one on "
        "this machine, for this command only.",
    )
    workers: int | None = Field(
        default=None, ge=1, description="Shards at a time; null: as many as the cluster has room for."
    )
    num_cpus: float = Field(default=1.0, ge=0, description="Cores that a shard or process reserves.")
    num_gpus: float = Field(default=0.0, ge=0, description="GPUs that a shard or process reserves; half of one is 0.5.")
    resources: dict[str, float] = Field(
        default={}, description="Of Ray's own names for resources how much a shard or process reserves."
    )
    attempts: int = Field(default=3, ge=1, description="How often a shard is begun whose process or node dies.")
    runtime_env: dict[str, Any] = Field(
        default={}, description="Ray's runtime environment of every process, such as {env_vars: {NAME: value}}."
    )
