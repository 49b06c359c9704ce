"""Configuration of `lerobot rollout`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.config.base import CommandConfig, ConfigModel, RobotConfig
from lerobot.core.safety.config import SafetyConfig
from lerobot.policies.config import PreTrainedConfig


class StrategyConfig(ConfigModel):
    """What is done beside driving the robot."""

    type: Literal["base"] = Field(default="base", description="base: drive, and record nothing.")


class RolloutConfig(DisplayOptions, CommandConfig):
    """Let a trained policy drive a robot."""

    target: ClassVar[str] = "lerobot.policies.rollout:rollout"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot rollout --policy.path=outputs/train/act/checkpoints/last --robot.type=so101_follower "
        "--robot.port=/dev/ttyACM0 --robot.cameras='{front: {type: opencv, index_or_path: 0, width: 640, height: 480, "
        "fps: 30}}' --duration=60",
        "lerobot rollout --policy.path=me/act_pick_cube --robot.type=sim_so101 --duration=20",
    )

    robot: RobotConfig = Field(description="Robot to drive.")
    policy: PreTrainedConfig = Field(description="Trained policy: --policy.path=FOLDER or a Hub repository.")
    strategy: StrategyConfig = Field(default_factory=StrategyConfig, description="What is done beside driving.")
    fps: float = Field(default=30.0, gt=0, description="Actions per second, Hz; as in the policy's dataset.")
    duration: float = Field(default=0.0, ge=0, description="Seconds to run; 0: until Ctrl-C.")
    task: str = Field(default="", description="What to do, in words, for policies that read.")
    device: str | None = Field(default=None, description="Device of the policy; null: the one it was saved with.")
    rename_map: dict[str, str] = Field(default={}, description="The policy's observation keys by those of the robot.")
    return_to_initial_position: bool = Field(
        default=True, description="After --duration, go back to where the robot was at the start, in 3 s."
    )
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")

    @model_validator(mode="after")
    def _policy_is_trained(self) -> Self:
        """An untrained policy would move the robot at random."""
        if self.policy.pretrained_path is None:
            raise PydanticCustomError("rollout_untrained", "--policy.path: a trained policy, not only its type")
        return self
