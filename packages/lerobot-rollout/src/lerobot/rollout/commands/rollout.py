"""Configuration of `lerobot rollout`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.commands.earlier_flags import DEVICES, OFFLINE
from lerobot.core.config.base import CommandConfig, NoEffect, PolicyConfig, RobotConfig
from lerobot.core.config.policies import require_trained
from lerobot.datasets.commands.record import VIDEO, DatasetRecordConfig
from lerobot.rollout.commands.acting import ActingOptions
from lerobot.rollout.strategy import BaseStrategyConfig, StrategyConfig

PREFIXES = ("rollout_", "eval_")
"""How names of recorded rollouts begin, so that nobody takes them for demonstrations."""
COMPILED = "Accepted; a policy that can be compiled has a flag of its own, such as --policy.compile_model."


class RolloutDatasetConfig(DatasetRecordConfig):
    """What is recorded of a rollout, and where to."""

    @classmethod
    def check_name(cls, name: str) -> None:
        """Check the name without its owner.

        Raises:
            ValueError: it does not say that a policy acted.
        """
        if not name.startswith(PREFIXES):
            raise ValueError(f"a name that begins with {' or '.join(map(repr, PREFIXES))}, because a policy acts in it")


class RolloutConfig(ActingOptions, DisplayOptions, CommandConfig):
    """Let a trained policy drive a robot, and record it if asked to.

    Keys while recording, in a terminal or over SSH: s and f end the episode as success or failure, right or n ends it
    (or the reset), left or r records it again, q or Esc saves it and stops. Without a terminal write `success`,
    `failure`, `next`, `redo` or `stop` to --control_file.
    """

    target: ClassVar[str] = "lerobot.rollout.command:rollout"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot rollout --policy.path=outputs/train/act/checkpoints/last --robot.type=so101_follower "
        "--robot.port=/dev/ttyACM0 --robot.cameras='{front: {type: opencv, index_or_path: 0, width: 640, height: 480, "
        "fps: 30}}' --duration=60",
        "lerobot rollout --policy.path=me/act_pick_cube --robot.type=sim_so101 --strategy.type=episodic "
        "--dataset.repo_id=me/rollout_pick_cube --dataset.num_episodes=10 --dataset.episode_time_s=20",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = {
        **DEVICES,
        **VIDEO,
        "control_frequency": "fps",
        "num_episodes": "dataset.num_episodes",
        "repo_id": "dataset.repo_id",
    }
    refused_flags: ClassVar[Mapping[str, str]] = OFFLINE

    robot: RobotConfig = Field(description="Robot to drive.")
    policy: PolicyConfig = Field(
        description="Trained policy: --policy.path=FOLDER of a checkpoint or an export, or a Hub repository; or one "
        "that runs elsewhere."
    )
    strategy: StrategyConfig = Field(
        default_factory=lambda: BaseStrategyConfig(), description="What is done beside driving."
    )
    dataset: RolloutDatasetConfig | None = Field(
        default=None, description="What is recorded, and where to; for strategies that record."
    )
    duration: float = Field(default=0.0, ge=0, description="Seconds to run; 0: until Ctrl-C.")
    task: str = Field(default="", description="What to do, in words; also --dataset.single_task.")
    device: str | None = Field(default=None, description="Device of the policy; null: the one it was saved with.")
    rename_map: dict[str, str] = Field(default={}, description="The policy's observation keys by those of the robot.")
    resume: bool = Field(default=False, description="Add episodes to an existing dataset; needs its exact name.")
    interactive: bool = Field(
        default=False, description="Type what the robot shall do: /start, /subtask WORDS, /reset, /stop, /help."
    )
    autosteer_interval_s: Annotated[float, NoEffect()] = Field(
        default=10.0, description="Accepted; no policy here picks tasks of its own."
    )
    use_torch_compile: Annotated[bool, NoEffect()] = Field(default=False, description=COMPILED)
    torch_compile_backend: Annotated[str, NoEffect()] = Field(default="inductor", description=COMPILED)
    torch_compile_mode: Annotated[str, NoEffect()] = Field(default="default", description=COMPILED)
    compile_warmup_inferences: Annotated[int, NoEffect()] = Field(default=2, description=COMPILED)

    @model_validator(mode="after")
    def _policy_is_trained(self) -> Self:
        require_trained(self.policy)
        return self

    @model_validator(mode="after")
    def _strategy_fits(self) -> Self:
        """Some strategies record, some are helped by a teleoperator."""
        strategy = self.strategy
        if strategy.dataset == "no" and (self.dataset is not None or (self.teleop and strategy.teleoperator == "no")):
            raise PydanticCustomError("rollout_base", "--strategy.type=episodic with --dataset or --teleop")
        if strategy.dataset == "must" and self.dataset is None:
            raise PydanticCustomError(
                "rollout_dataset", "--dataset.repo_id with --strategy.type={type}", {"type": strategy.type}
            )
        if strategy.teleoperator == "no" and self.teleop is not None:
            raise PydanticCustomError(
                "rollout_no_teleop", "no --teleop with --strategy.type={type}", {"type": strategy.type}
            )
        if strategy.teleoperator == "must" and self.teleop is None:
            raise PydanticCustomError(
                "rollout_teleop", "--teleop.type with --strategy.type={type}", {"type": strategy.type}
            )
        if self.interactive and not strategy.interactive:
            raise PydanticCustomError("rollout_interactive", "--strategy.type=base or sentry with --interactive")
        if self.duration and not strategy.duration:
            raise PydanticCustomError("rollout_duration", "--dataset.episode_time_s in place of --duration")
        return self

    @model_validator(mode="after")
    def _dataset_fits(self) -> Self:
        """The dataset has the policy's rate and task."""
        if self.dataset is None:
            return self
        if self.dataset.fps != self.fps:
            raise PydanticCustomError(
                "rollout_rate",
                "the same rate twice, not --fps={fps} and --dataset.fps={dataset_fps}",
                {"fps": f"{self.fps:g}", "dataset_fps": self.dataset.fps},
            )
        if self.task and self.dataset.single_task and self.task != self.dataset.single_task:
            raise PydanticCustomError("rollout_task", "one task, not two in --task and --dataset.single_task")
        return self
