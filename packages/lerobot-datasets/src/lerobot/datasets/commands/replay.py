"""Configuration of `lerobot replay`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.commands.earlier_flags import DEVICES, OFFLINE
from lerobot.core.config.base import CommandConfig, ConfigModel, ProcessorStepConfig, RobotConfig
from lerobot.core.safety.config import SafetyConfig


class DatasetReplayConfig(ConfigModel):
    """Which episode is replayed."""

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    episode: int = Field(ge=0, description="Number of the episode, from 0.")
    root: Path | None = Field(default=None, description="Folder of the dataset; default: under $HF_LEROBOT_HOME.")
    fps: int = Field(
        default=30, gt=0, description="Accepted so that known command lines work; the rate is the recording's."
    )


class ReplayConfig(CommandConfig):
    """Replay the actions of a recorded episode on a robot."""

    target: ClassVar[str] = "lerobot.datasets.replay.command:replay"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot replay --robot.type=so101_follower --robot.port=/dev/ttyACM0 --dataset.repo_id=me/cubes "
        "--dataset.episode=0",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = {
        **DEVICES,
        "repo_id": "dataset.repo_id",
        "root": "dataset.root",
        "episode": "dataset.episode",
        "episode_index": "dataset.episode",
    }
    refused_flags: ClassVar[Mapping[str, str]] = OFFLINE

    robot: RobotConfig = Field(description="Robot that repeats the episode.")
    dataset: DatasetReplayConfig = Field(description="Which episode is replayed.")
    processors: tuple[ProcessorStepConfig, ...] = Field(
        default=(), description="Steps from the dataset's actions to what the robot takes: '[{type: NAME, ...}]'."
    )
    observation_processors: tuple[ProcessorStepConfig, ...] = Field(
        default=(),
        description="Steps from what the robot measures to what the dataset stores, to tell how well it follows.",
    )
    play_sounds: bool = Field(default=True, description="Speak announcements, where the system can.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")
