"""Configuration of `lerobot verify-dataset`."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig
from lerobot.dataset_tools.commands.shards import EXECUTOR, SHARD_MEGABYTES, SHARD_SIZE
from lerobot.jobs.config import ExecutorConfig


class VerifyDatasetConfig(CommandConfig):
    """Check a dataset: structure, timing, images, motion and statistics; one line per finding.

    Exit code 1 if frames cannot be read as the format promises; with --strict also for warnings, of what a person
    should look at. Nothing is changed.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.verification.command:verify_dataset_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot verify-dataset --repo_id=me/cubes",
        "lerobot verify-dataset --root=data/cubes --pictures=false",
        "lerobot verify-dataset --repo_id=me/cubes --strict",
        "lerobot verify-dataset --repo_id=me/cubes --format=json",
    )

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    strict: bool = Field(default=False, description="Exit code 1 for warnings too.")
    pictures: bool = Field(default=True, description="Decode every image; without it only numbers are checked.")
    format: Literal["text", "json"] = Field(
        default="text", description="How findings are written; json: one list of them, for programs."
    )
    executor: ExecutorConfig | None = Field(default=None, description=EXECUTOR)
    shard_size_in_mb: float = Field(default=SHARD_MEGABYTES, gt=0, description=SHARD_SIZE)

    @model_validator(mode="after")
    def _an_engine_has_images_to_decode(self) -> Self:
        if self.executor is not None and not self.pictures:
            raise ValueError("--executor with --pictures: an engine decodes images, the rest is done here")
        return self
