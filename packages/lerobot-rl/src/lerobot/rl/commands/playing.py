"""Flags of every command that plays episodes on a robot or in an environment, and learns from them. Light."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CommandConfig, EnvConfig, ProcessorStepConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.config.judges import SuccessDetectorConfig
from lerobot.core.safety.config import SafetyConfig
from lerobot.rl.gym_manipulator import GymManipulatorConfig


class PlayingOptions(CommandConfig):
    """Where a policy acts, who corrects it, and who says how it went."""

    env: EnvConfig | None = Field(default=None, description="Environment to learn in, in place of a robot.")
    realtime: bool = Field(default=False, description="Keep real time in --env, as a person who corrects needs it.")
    robot: RobotConfig | None = Field(default=None, description="Robot to learn on.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="What a person corrects the policy with.")
    action_steps: list[ProcessorStepConfig] = Field(
        default_factory=list, description="Steps from the teleoperator's and the policy's actions to the robot's."
    )
    observation_steps: list[ProcessorStepConfig] = Field(
        default_factory=list, description="Steps from what the robot measures to what is learned from."
    )
    detector: SuccessDetectorConfig | None = Field(
        default=None, description="Tells that the task is solved, on a robot without rewards; default: a person does."
    )
    fps: float | None = Field(default=None, gt=0, description="Actions per second; default: the robot's own, or 10.")
    task: str = Field(default="", description="What to do, in words.")
    episode_time_s: float = Field(default=20.0, gt=0, description="Longest duration of an episode.")
    reset_time_s: float = Field(default=0.0, ge=0, description="Seconds before each episode to reset the scene in.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")
    control_file: Path | None = Field(default=None, description="File that takes words in place of keys.")
    play_sounds: bool = Field(default=False, description="Speak announcements, where the system can.")
    seed: int = Field(default=1000, ge=0, description="Of everything random.")

    @model_validator(mode="after")
    def _manipulator(self) -> Self:
        """Files of huggingface/lerobot name a robot with a reward as an environment; what is given beside it counts."""
        if not isinstance(self.env, GymManipulatorConfig):
            return self
        said = self.env.fields()
        for name in (*(said.keys() - self.model_fields_set), "env"):
            kind: Any = type(self).model_fields[name].annotation
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
            object.__setattr__(self, name, adapter.validate_python(said.get(name)))
        return self

    @model_validator(mode="after")
    def _one_place_to_act(self) -> Self:
        if (self.env is None) == (self.robot is None):
            raise PydanticCustomError("rl_place", "either --env.type or --robot.type: where it acts")
        return self
