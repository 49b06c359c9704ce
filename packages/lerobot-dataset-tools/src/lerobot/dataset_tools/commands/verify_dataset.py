"""Configuration of `lerobot verify-dataset`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class VerifyDatasetConfig(CommandConfig):
    """Check a dataset: structure, timing, images, motion and statistics; one line per finding.

    Exit code 0 if nothing was found, 1 otherwise; nothing is changed.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.verification.command:verify_dataset_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot verify-dataset --repo_id=me/cubes",
        "lerobot verify-dataset --root=data/cubes --pictures=false",
    )

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    pictures: bool = Field(default=True, description="Decode every image; without it only numbers are checked.")
