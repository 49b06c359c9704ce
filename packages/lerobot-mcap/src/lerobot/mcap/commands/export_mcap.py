"""Configuration of `lerobot export-mcap`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig, ConfigModel


class ExportedDatasetConfig(ConfigModel):
    """Which episodes are exported."""

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    episodes: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        default=None, description="Numbers of the episodes; all if unset."
    )


class ExportMcapConfig(CommandConfig):
    """Write episodes of a dataset as an MCAP log of ROS 2 messages; needs no ROS."""

    target: ClassVar[str] = "lerobot.mcap.export.command:export_mcap"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot export-mcap --dataset.repo_id=me/cubes --dataset.episodes='[0, 3]' --output=cubes.mcap",
    )

    dataset: ExportedDatasetConfig = Field(description="What is exported.")
    output: Path = Field(default=Path("dataset.mcap"), description="File to write; it must not exist.")
    images: Literal["png", "jpeg", "raw"] = Field(
        default="png", description="Images: png (nothing is lost), jpeg (small), raw (sensor_msgs/Image)."
    )
    begin_s: float = Field(
        default=946_684_800.0,
        gt=0,
        lt=9.2e9,
        description="Time of the first frame of a dataset without stamps, seconds since 1970; default: the year 2000.",
    )
