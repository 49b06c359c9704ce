"""Configuration of `lerobot dataset-report`."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig
from lerobot.dataset_tools.commands.shards import EXECUTOR, SHARD_MEGABYTES, SHARD_SIZE
from lerobot.jobs.config import ExecutorConfig


class DatasetReportConfig(CommandConfig):
    """Write one HTML page about a dataset: episodes, curves, images, statistics and findings.

    The page holds everything in itself and can be sent to somebody.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.report.command:dataset_report"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot dataset-report --repo_id=me/cubes",
        "lerobot dataset-report --root=data/cubes --episodes='[0, 7]' --output=cubes.html",
    )

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    output: Path = Field(default=Path("dataset-report.html"), description="File to write.")
    episodes: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        default=None, description="Episodes whose curves and images are shown; some from first to last if unset."
    )
    max_episodes: int = Field(default=20, ge=1, description="Most episodes shown if none are named.")
    verify: bool = Field(default=True, description="Check the dataset too, without decoding every image.")
    executor: ExecutorConfig | None = Field(default=None, description=EXECUTOR)
    shard_size_in_mb: float = Field(default=SHARD_MEGABYTES, gt=0, description=SHARD_SIZE)
