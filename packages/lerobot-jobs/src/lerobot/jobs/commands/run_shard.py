"""Configuration of `lerobot run-shard`."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig, Positional


class RunShardConfig(CommandConfig):
    """Do one shard of a large job, unless it is done; what engines run."""

    target: ClassVar[str] = "lerobot.jobs.command:run_shard_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot run-shard data/.cubes.job/plan.json 3",
        "lerobot run-shard --plan=data/.cubes.job/plan.json --shard=3",
    )

    plan: Annotated[Path, Positional()] = Field(description="The plan, in the folder of its job.")
    shard: Annotated[int, Positional()] = Field(ge=0, description="Number of the shard, from 0.")
