"""Configuration of `lerobot train-rl`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect
from lerobot.policies.config import PreTrainedConfig
from lerobot.rl.commands.playing import PlayingOptions
from lerobot.rl.config import AlgorithmConfig, LearnerConfig, LearnsFromReward, OnlineConfig
from lerobot.training.config import DatasetConfig, WandBConfig


class ReinforcementOptions(PlayingOptions):
    """Fields of every command in which a policy learns from reward."""

    policy: PreTrainedConfig = Field(description="Policy to train; --policy.path=FOLDER goes on from a trained one.")
    algorithm: AlgorithmConfig | None = Field(default=None, description="How it learns; default: as the policy says.")
    online: OnlineConfig = Field(default_factory=OnlineConfig, description="How much is experienced and learned from.")
    learner: LearnerConfig = Field(
        default_factory=LearnerConfig, description="Where actor and learner meet, if they are two processes."
    )
    dataset: DatasetConfig | None = Field(default=None, description="Demonstrations with rewards, kept apart.")
    mixer: Literal["online_offline"] = Field(default="online_offline", description="How batches are mixed.")
    online_ratio: float = Field(default=0.5, ge=0, le=1, description="Part of a batch that is not demonstrated.")
    batch_size: int = Field(default=256, gt=0, description="Windows per batch.")
    output_dir: Path | None = Field(
        default=None, description="Folder of the run; default: outputs/train/<date>/<time>_<job_name>."
    )
    job_name: str | None = Field(default=None, description="Name of the run; default: <env or robot>_<policy>.")
    resume: bool = Field(default=False, description="Go on with the run in --output_dir.")
    log_freq: int = Field(default=1, gt=0, description="Episodes between log lines.")
    save_checkpoint: bool = Field(default=True, description="Save checkpoints.")
    save_freq: int = Field(default=2_000, gt=0, description="Actions between checkpoints, at the end of an episode.")
    wandb: WandBConfig = Field(default_factory=WandBConfig, description="Weights & Biases.")

    # Of files of huggingface/lerobot: what learning from reward never read, or reads elsewhere here.
    steps: Annotated[Any, NoEffect()] = Field(default=None, description="No effect; see --online.steps.")
    num_workers: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")
    eval_freq: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")
    env_eval_freq: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")
    eval: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")
    use_policy_training_preset: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")
    optimizer: Annotated[Any, NoEffect()] = Field(default=None, description="No effect; see --algorithm.")
    scheduler: Annotated[Any, NoEffect()] = Field(default=None, description="No effect.")

    @model_validator(mode="after")
    def _presets(self) -> Self:
        """What the policy says where nothing is given."""
        policy = self.policy
        if isinstance(policy, LearnsFromReward):
            online = {**policy.online_preset(), **self.online.model_dump(exclude_unset=True)}
            learner = {**policy.learner_preset(), **self.learner.model_dump(exclude_unset=True)}
            object.__setattr__(self, "online", OnlineConfig.model_validate(online))
            object.__setattr__(self, "learner", LearnerConfig.model_validate(learner))
            if self.algorithm is None:
                chosen = TypeAdapter(AlgorithmConfig).validate_python(dict(policy.algorithm_preset()))
                object.__setattr__(self, "algorithm", chosen)
        if self.algorithm is None:
            raise PydanticCustomError(
                "rl_algorithm", "--algorithm.type: policy {type} names none", {"type": self.policy.type}
            )
        return self

    @property
    def learning(self) -> AlgorithmConfig:
        """The algorithm, given or preset.

        Raises:
            ValueError: there is none; the configuration is checked for that.
        """
        if self.algorithm is None:
            raise ValueError("no algorithm; the configuration is checked for that")
        return self.algorithm


class TrainRLConfig(ReinforcementOptions):
    """Train a policy from reward, on a robot or in an environment, while a person may correct it.

    Between episodes it learns; every episode is saved as it ends, in the run's folder `replay`, which is a dataset.

    Keys, in a terminal: space takes over or lets go with a leader arm, s and f end the episode as success or failure,
    right or n ends it (or the reset), left or r drops it, q or Esc stops. Without a terminal write `intervene`,
    `success`, `failure`, `next`, `redo` or `stop` to --control_file.
    """

    target: ClassVar[str] = "lerobot.rl.command:train_rl"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot train-rl --policy.type=gaussian_actor --env.type=gym_hil --dataset.repo_id=me/cube_demos "
        "--teleop.type=gamepad --output_dir=outputs/cube",
        "lerobot train-rl --config_path=outputs/cube/checkpoints/last/pretrained_model/train_config.json --resume=true",
    )


def saved(config: ReinforcementOptions, policy: PreTrainedConfig, folder: Path) -> Mapping[str, Any]:
    """Make the contents of `train_config.json`: all that the run was asked for.

    Args:
        config: of the run.
        policy: with its features.
        folder: of the run.
    """
    fields = config.model_dump(mode="json", exclude={"policy", "resume", "output_dir"})
    return {**fields, "policy": policy.model_dump(mode="json"), "output_dir": str(folder)}
