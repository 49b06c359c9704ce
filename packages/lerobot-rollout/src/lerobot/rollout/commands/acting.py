"""Flags of every command in which a policy drives a robot."""

from pathlib import Path

from pydantic import Field

from lerobot.core.commands.processors import TeleoperationProcessorsConfig
from lerobot.core.config.base import ConfigModel, TeleoperatorConfig
from lerobot.core.safety.config import SafetyConfig
from lerobot.rollout.inference import InferenceConfig, SyncInference


class ActingOptions(ConfigModel):
    """How a policy drives a robot; a command's configuration inherits these fields."""

    inference: InferenceConfig = Field(
        default_factory=lambda: SyncInference(), description="When the policy predicts, and who waits for it."
    )
    teleop: TeleoperatorConfig | None = Field(
        default=None, description="Teleoperator that drives the robot when the policy does not."
    )
    processors: TeleoperationProcessorsConfig = Field(
        default_factory=TeleoperationProcessorsConfig, description="Steps between --teleop and robot."
    )
    fps: float = Field(default=30.0, gt=0, description="Actions per second, Hz; as in the policy's dataset.")
    interpolation_multiplier: int = Field(
        default=1, ge=1, description="Commands per action: the robot gets so many steps of the way to each."
    )
    task: str = Field(default="", description="What to do, in words.")
    return_to_initial_position: bool = Field(
        default=True, description="At the end go back to where the robot was at the start, in 3 s; not after a signal."
    )
    control_file: Path | None = Field(
        default=None, description="File that takes words in place of keys, without a terminal: echo success > FILE."
    )
    play_sounds: bool = Field(default=True, description="Speak announcements, where the system can.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")
