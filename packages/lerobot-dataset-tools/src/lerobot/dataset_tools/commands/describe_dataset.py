"""Configuration of `lerobot describe-dataset`."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class DescribeDatasetConfig(CommandConfig):
    """Describe a dataset to a program, in JSON.

    Features, episodes, videos, and the numbers of episodes that are asked for.

    With --follow it answers requests, a JSON object a line on standard input and one on standard output, until the
    input ends: `{"ask": "episode", "root": "data/cubes", "episode": 3}`. Nothing is changed, nothing is downloaded.
    """

    target: ClassVar[str] = "lerobot.dataset_tools.description.command:describe_dataset"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot describe-dataset --repo_id=me/cubes",
        'lerobot describe-dataset --root=data/cubes --episodes="[3]"',
        "lerobot describe-dataset --follow",
    )

    repo_id: str | None = Field(default=None, description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    episodes: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), description="Episodes whose numbers are given too: time, action, state, reward, ..."
    )
    follow: bool = Field(
        default=False, description="Answer requests of standard input, each about the dataset of its own root."
    )
