"""Configuration of `lerobot convert-dataset`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class ConvertDatasetConfig(CommandConfig):
    """Convert a v2.0 or v2.1 dataset to v3.0 files; reading one needs no conversion.

    Without --new_root the result takes the dataset's place, and the original stays beside it as <name>_old.
    """

    target: ClassVar[str] = "lerobot.datasets.editing.command:convert"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot convert-dataset --repo_id=me/cubes",
        "lerobot convert-dataset --root=old/cubes --new_root=new/cubes",
    )

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    new_root: Path | None = Field(default=None, description="Folder of the result, if it is a new dataset.")
    data_file_size_in_mb: int | None = Field(default=None, gt=0, description="Size of data files; 100 if unset.")
    video_file_size_in_mb: int | None = Field(default=None, gt=0, description="Size of video files; 200 if unset.")
