"""Configuration of `lerobot finetune`."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.core.config.policies import require_trained
from lerobot.policies.config import PreTrainedConfig
from lerobot.rl.commands.playing import PlayingOptions
from lerobot.rl.config import AlgorithmConfig
from lerobot.training.config import BatchConfig, DatasetConfig


class FinetuneConfig(PlayingOptions, BatchConfig):
    """Make a trained policy better where it acts, and keep it only if it is.

    The policy plays --eval_episodes episodes, which are judged as by `lerobot eval`. Then, --rounds times: with
    --online_learning=true it plays --episodes_per_round more, which a person may correct by --teleop; it learns
    --steps batches, of which --online_ratio is new and the rest of --dataset; and it is judged again, from the same
    starts where the place has such. A policy that succeeds less often than the best one so far is dropped, and the next
    round begins from the best.

    A policy that imitates learns, of what was played, from the episodes that succeeded; one that learns from reward
    from all. Nothing is lost by a kill or a power cut: the same command with --resume=true goes on.

    Keys, in a terminal: space takes over or lets go with a leader arm, s and f say success or failure, right or n ends
    an episode or a reset, left or r drops it, q or Esc stops. Without a terminal write `intervene`, `success`,
    `failure`, `next`, `redo` or `stop` to --control_file, or let --detector.type tell.
    """

    target: ClassVar[str] = "lerobot.rl.finetune.command:finetune"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot finetune --policy.path=outputs/train/act/checkpoints/last/pretrained_model "
        "--robot.type=so101_follower --robot.port=/dev/ttyACM0 --teleop.type=so101_leader --teleop.port=/dev/ttyACM1 "
        "--online_learning=true --dataset.repo_id=me/cubes --rounds=3 --output_dir=outputs/finetune",
        "lerobot finetune --policy.path=me/act_cubes --robot.type=sim_so101 --robot.task=reach --detector.type=scene "
        "--new_episodes.repo_id=me/the-arm --dataset.repo_id=me/many-scenes --output_dir=outputs/finetune",
    )

    policy: PreTrainedConfig = Field(description="Trained policy: --policy.path=FOLDER or a Hub repository.")
    online_learning: bool = Field(
        default=False, description="Play and learn in turns; otherwise learn from --new_episodes."
    )
    new_episodes: DatasetConfig | None = Field(default=None, description="Episodes of this place that are there.")
    dataset: DatasetConfig | None = Field(
        default=None, description="Recordings it was trained on, so that it does not forget them."
    )
    online_ratio: float = Field(default=0.5, gt=0, lt=1, description="Part of a batch that is new, beside --dataset.")
    rounds: int = Field(default=1, gt=0, description="Times it learns and is judged.")
    episodes_per_round: int = Field(default=10, gt=0, description="With online_learning: episodes it plays each time.")
    eval_episodes: int = Field(default=20, gt=0, description="Episodes that it is judged by, without anyone's help.")
    steps: int = Field(default=500, gt=0, description="Batches it learns from in each round.")
    save_freq: int = Field(
        default=0, ge=0, description="Batches between checkpoints; 0: a round that is killed learns anew."
    )
    optimizer: OptimizerConfig | None = Field(default=None, description="Optimizer; default: the policy's.")
    scheduler: SchedulerConfig | None = Field(default=None, description="Schedule; default: the policy's.")
    algorithm: AlgorithmConfig | None = Field(
        default=None, description="How a policy learns from reward; default: as it says."
    )
    rename_map: dict[str, str] = Field(
        default_factory=dict, description="Name of a feature in a dataset or on the robot: its name in the policy."
    )
    output_dir: Path | None = Field(
        default=None, description="Folder of the run; default: outputs/finetune/<date>/<time>_<job_name>."
    )
    job_name: str | None = Field(default=None, description="Name of the run; default: <env or robot>_<policy>.")
    resume: bool = Field(default=False, description="Go on with the run in --output_dir.")
    dry_run: bool = Field(default=False, description="Check that all fits, and say what would be done; nothing moves.")

    @model_validator(mode="after")
    def _has_something_to_learn_from(self) -> Self:
        require_trained(self.policy)
        if not self.online_learning and self.new_episodes is None:
            raise PydanticCustomError(
                "finetune_nothing", "--online_learning=true, or --new_episodes.repo_id: what it learns from"
            )
        if self.resume and self.output_dir is None:
            raise PydanticCustomError("finetune_resume", "--output_dir=FOLDER beside --resume=true")
        return self
