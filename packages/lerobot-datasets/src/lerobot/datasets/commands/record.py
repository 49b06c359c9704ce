"""Configuration of `lerobot record`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.commands.earlier_flags import CONTROL_MODE, DEVICES, OFFLINE
from lerobot.core.commands.processors import TeleoperationProcessorsConfig
from lerobot.core.config.base import (
    CommandConfig,
    ConfigModel,
    NoEffect,
    ProcessorStepConfig,
    RobotConfig,
    TeleoperatorConfig,
)
from lerobot.core.safety.config import SafetyConfig
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig

ExtraColumn = Literal["requested_action", "outcome", "capture_times"]

NO_EFFECT = "Accepted so that known command lines work; images are always encoded while they come in."


class DatasetRecordConfig(ConfigModel):
    """What is recorded, and where to."""

    repo_id: str = Field(description="Name of the dataset, 'owner/name'; a time stamp is appended to a new one.")
    single_task: str = Field(default="", description="The task in words, such as 'Pick up the red cube'.")
    root: Path | None = Field(default=None, description="Folder of the dataset; default: under $HF_LEROBOT_HOME.")
    fps: int = Field(default=30, gt=0, description="Frames per second, Hz.")
    episode_time_s: float = Field(default=60.0, gt=0, description="Longest duration of an episode, seconds.")
    reset_time_s: float = Field(
        default=60.0, ge=0, description="Seconds between episodes to reset the scene; the teleoperator stays active."
    )
    num_episodes: int = Field(default=50, gt=0, description="Episodes to record; with --resume, so many more.")
    video: bool = Field(default=True, description="Store images as video; false stores single images.")
    depth_video: bool = Field(
        default=True,
        description="Store depth as video too, which rounds each distance to one of 4096; false stores single images, "
        "which are exact.",
    )
    push_to_hub: bool = Field(default=False, description="Upload the dataset at the end; only when asked for.")
    private: bool | None = Field(default=None, description="Upload as a private dataset.")
    tags: tuple[str, ...] | None = Field(default=None, description="Tags of the uploaded dataset.")
    num_image_writer_processes: Annotated[int, NoEffect()] = Field(default=0, ge=0, description=NO_EFFECT)
    num_image_writer_threads_per_camera: Annotated[int, NoEffect()] = Field(default=4, ge=0, description=NO_EFFECT)
    video_encoding_batch_size: Annotated[int, NoEffect()] = Field(default=1, ge=1, description=NO_EFFECT)
    streaming_encoding: Annotated[bool, NoEffect()] = Field(default=True, description=NO_EFFECT)
    rgb_encoder: RGBEncoderConfig = Field(default_factory=RGBEncoderConfig, description="Encoder of colour cameras.")
    depth_encoder: DepthEncoderConfig = Field(
        default_factory=DepthEncoderConfig, description="Encoder of depth cameras."
    )
    encoder_queue_maxsize: int = Field(
        default=30, ge=1, description="Images an encoder may be behind before the loop waits for it."
    )
    encoder_threads: int | None = Field(default=None, ge=1, description="Threads per encoder; one if unset.")
    no_stamp: bool = Field(default=False, description="Keep the name as it is, without a time stamp.")
    extra_columns: tuple[ExtraColumn, ...] = Field(
        default=("requested_action", "outcome"),
        description="Columns beside the usual ones: 'requested_action' (before the safety gate), 'outcome' (success, "
        "failure or unknown), 'capture_times' (of every sensor and command). A dataset that is resumed keeps its own.",
    )

    @field_validator("repo_id")
    @classmethod
    def _name_is_usable(cls, repo_id: str) -> str:
        parts = repo_id.split("/")
        if len(parts) > 2 or any(part in {"", ".", ".."} for part in parts):
            raise ValueError("owner/name")
        cls.check_name(parts[-1])
        return repo_id

    @classmethod
    def check_name(cls, name: str) -> None:
        """Check the name without its owner; commands differ in what they allow.

        Raises:
            ValueError: it says that something else is in the dataset.
        """
        if name.startswith("eval_"):
            raise ValueError("another name: 'eval_' is for evaluations of a policy, see lerobot rollout")


OF_THE_DATASET = (
    "repo_id",
    "num_episodes",
    "single_task",
    "fps",
    "root",
    "episode_time_s",
    "reset_time_s",
    "push_to_hub",
)
"""Fields of the dataset that were flags of the command itself."""
VIDEO: Mapping[str, str] = MappingProxyType({"dataset.vcodec": "dataset.rgb_encoder.vcodec"})
"""Today's flag by the earlier one, of every command that records."""


class RecordProcessorsConfig(TeleoperationProcessorsConfig):
    """Steps between teleoperator, robot and dataset, each a list such as '[{type: NAME, ...}]'."""

    observation: tuple[ProcessorStepConfig, ...] = Field(
        default=(), description="From what the robot measures to what the dataset stores."
    )
    action: tuple[ProcessorStepConfig, ...] = Field(
        default=(), description="From what the robot was sent to the action the dataset stores."
    )


class RecordConfig(DisplayOptions, CommandConfig):
    """Record episodes of a person driving a robot.

    Keys, in a terminal or over SSH: right or n ends the episode (or the reset), left or r records it again, s and f end
    it as success or failure, q or Esc saves it and stops. Without a terminal write `next`, `redo`, `success`, `failure`
    or `stop` to --control_file.
    """

    target: ClassVar[str] = "lerobot.datasets.record.command:record"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot record --robot.type=so101_follower --robot.port=/dev/ttyACM0 --teleop.type=so101_leader "
        "--teleop.port=/dev/ttyACM1 --dataset.repo_id=me/cubes --dataset.single_task='Pick up the cube'",
        "lerobot record --robot.type=fake --teleop.type=fake --dataset.repo_id=me/try --dataset.num_episodes=2 "
        "--dataset.episode_time_s=5 --dataset.reset_time_s=2",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = {
        **DEVICES,
        **VIDEO,
        **{name: f"dataset.{name}" for name in OF_THE_DATASET},
    }
    refused_flags: ClassVar[Mapping[str, str]] = {**CONTROL_MODE, **OFFLINE}

    robot: RobotConfig = Field(description="Robot to drive.")
    teleop: TeleoperatorConfig = Field(description="Teleoperator to drive it with.")
    dataset: DatasetRecordConfig = Field(description="What is recorded, and where to.")
    resume: bool = Field(default=False, description="Add episodes to an existing dataset; needs its exact name.")
    control_file: Path | None = Field(
        default=None, description="File to control the recording without a terminal: echo next > FILE."
    )
    processors: RecordProcessorsConfig = Field(
        default_factory=RecordProcessorsConfig, description="Steps between teleoperator, robot and dataset."
    )
    play_sounds: bool = Field(default=True, description="Speak announcements, where the system can.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")
