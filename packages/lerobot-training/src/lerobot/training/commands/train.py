"""Configuration of `lerobot train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.commands.earlier_flags import OFFLINE
from lerobot.core.config.base import CommandConfig, EnvConfig, OptimizerConfig, SchedulerConfig
from lerobot.envs.config import EvalConfig
from lerobot.jobs.config import ExecutorConfig
from lerobot.policies.config import PreTrainedConfig
from lerobot.training.config import (
    AcceleratorConfig,
    BatchConfig,
    CheckpointFormat,
    DatasetConfig,
    EMAConfig,
    LaunchConfig,
    ParallelismConfig,
    PeerSections,
    PeftConfig,
    PruneConfig,
    TeacherConfig,
    WandBConfig,
)


class TrainPipelineConfig(CommandConfig, BatchConfig, PeerSections):
    """Train a policy on a dataset."""

    target: ClassVar[str] = "lerobot.training.command:train_command"

    preflight: ClassVar[str] = "lerobot.training.refusal:refuse"
    renamed_fields: ClassVar[Mapping[str, str]] = {"eval_freq": "env_eval_freq"}
    removed_fields: ClassVar[Mapping[str, str]] = {
        # Of the whole run before policies had them; no release on PyPI did.
        "device": "0.1.0",
        "use_amp": "0.1.0",
        # Settings of use_rabc, which is among the sections of which only the default is supported.
        **dict.fromkeys(("rabc_progress_path", "rabc_kappa", "rabc_epsilon", "rabc_head_mode"), "0.5.1"),
    }
    earlier_flags: ClassVar[Mapping[str, str]] = {
        "device": "policy.device",
        "eval.max_steps": "env.episode_length",
        "eval_freq": "env_eval_freq",
        "repo_id": "dataset.repo_id",
        "training.batch_size": "batch_size",
        "training.eval_freq": "env_eval_freq",
        "training.gradient_accumulation_steps": "accelerator.gradient_accumulation.steps",
        "training.learning_rate": "policy.optimizer_lr",
        "training.num_steps": "steps",
        "training.save_freq": "save_freq",
        "training.use_amp": "policy.use_amp",
        "use_amp": "policy.use_amp",
    }
    refused_flags: ClassVar[Mapping[str, str]] = {
        **OFFLINE,
        "dataset.local_files_only": OFFLINE["local_files_only"],
        "training.domain_randomization": "an environment that varies by itself, to record in; of a dataset "
        "--dataset.image_transforms.enable=true varies the pictures",
    }

    examples: ClassVar[tuple[str, ...]] = (
        "lerobot train --dataset.repo_id=owner/name --policy.type=act --output_dir=outputs/train/act --steps=20000",
        "lerobot train --config_path=outputs/train/act/checkpoints/last/pretrained_model/train_config.json "
        "--resume=true",
        "torchrun --nproc-per-node=2 $(which lerobot) train --dataset.repo_id=owner/name --policy.type=act",
        "lerobot train --dataset.repo_id=owner/name --policy.type=act --executor.type=local "
        "--launch.processes_per_node=2",
    )

    dataset: DatasetConfig = Field(description="Demonstrations to learn from.")
    policy: PreTrainedConfig = Field(description="Policy to train; --policy.path=FOLDER goes on from a trained one.")
    env: EnvConfig | None = Field(default=None, description="Environment to evaluate in while training.")
    output_dir: Path | None = Field(
        default=None, description="Folder of the run; default: outputs/train/<date>/<time>_<job_name>."
    )
    job_name: str | None = Field(default=None, description="Name of the run; default: <env>_<policy>.")
    resume: bool = Field(
        default=False, description="Go on from the checkpoint that --config_path stands in; its folder is the run."
    )
    checkpoint_path: Path | None = Field(default=None, description="Another checkpoint of the run to resume from.")
    seed: int = Field(default=1000, ge=0, description="Of everything random.")
    cudnn_deterministic: bool = Field(default=False, description="Reproducible convolutions on GPUs, and slower ones.")
    channels_last: bool = Field(
        default=False, description="Keep pictures with their channels last: faster convolutions, rounded differently."
    )
    keep_statistics: bool = Field(
        default=False, description="Scale by the statistics of the policy of --policy.path, not by the dataset's."
    )
    steps: int = Field(default=100_000, gt=0, description="Batches to train on, per process.")
    env_eval_freq: int = Field(default=20_000, ge=0, description="Steps between evaluations in --env; 0: never.")
    log_freq: int = Field(default=200, gt=0, description="Steps between log lines.")
    eval_steps: int = Field(default=0, ge=0, description="Steps between validations on --dataset.eval_split; 0: never.")
    max_eval_samples: int = Field(default=0, ge=0, description="Frames to validate on; 0: all that are held out.")
    save_checkpoint: bool = Field(default=True, description="Save checkpoints.")
    save_freq: int = Field(default=20_000, description="Steps between checkpoints; 0 or less: only the last one.")
    checkpoint_format: CheckpointFormat = Field(
        default="safetensors",
        description="Of a shared policy: the whole, the part of each process (dcp; the last also whole), or both.",
    )
    use_policy_training_preset: bool = Field(
        default=True, description="Optimizer and schedule of the policy, where none is given."
    )
    optimizer: OptimizerConfig | None = Field(default=None, description="Optimizer; default: the policy's.")
    scheduler: SchedulerConfig | None = Field(default=None, description="Schedule; default: the policy's.")
    accelerator: AcceleratorConfig = Field(
        default_factory=AcceleratorConfig, description="Precision, accumulation and processes."
    )
    parallelism: ParallelismConfig = Field(
        default_factory=ParallelismConfig, description="How processes share a model."
    )
    eval: EvalConfig = Field(default_factory=EvalConfig, description="Evaluation in --env.")
    ema: EMAConfig = Field(default_factory=EMAConfig, description="A moving average of the weights.")
    peft: PeftConfig | None = Field(default=None, description="Learn adapters of the policy of --policy.path.")
    teacher: TeacherConfig | None = Field(default=None, description="Learn what another policy would do.")
    prune: PruneConfig | None = Field(default=None, description="Make weights zero while training.")
    wandb: WandBConfig = Field(default_factory=WandBConfig, description="Weights & Biases.")
    executor: ExecutorConfig | None = Field(
        default=None, description="Engine that starts the processes: local, ray, slurm; null: this process trains."
    )
    launch: LaunchConfig = Field(default_factory=LaunchConfig, description="With --executor: how many processes.")
    rename_map: dict[str, str] = Field(
        default_factory=dict, description="Name of a feature in the dataset: its name in the policy."
    )

    @model_validator(mode="after")
    def _checkpoints_lie_between_optimizer_steps(self) -> Self:
        """Half-gathered gradients are in no checkpoint, so one may only be made after an optimizer step."""
        batches = self.accelerator.gradient_accumulation.steps
        for name in ("steps", "save_freq", "eval_steps"):
            if (value := getattr(self, name)) > 0 and value % batches:
                raise PydanticCustomError(
                    "between_optimizer_steps",
                    "{name} to be a multiple of accelerator.gradient_accumulation.steps ({batches})",
                    {"name": name, "batches": batches},
                )
        return self

    @model_validator(mode="after")
    def _sharded_models_can_learn_so(self) -> Self:
        if not self.parallelism.shards:
            if self.checkpoint_format != "safetensors":
                raise PydanticCustomError(
                    "no_parts", "parallelism.dp_shard with checkpoint_format other than safetensors"
                )
            return self
        if self.accelerator.mixed_precision == "fp16":
            raise PydanticCustomError(
                "half_precision", "accelerator.mixed_precision of bf16 or no with parallelism.dp_shard, not fp16"
            )
        if self.channels_last:
            raise PydanticCustomError("layout", "channels_last=false with parallelism.dp_shard")
        return self

    @model_validator(mode="after")
    def _weights_can_be_pruned(self) -> Self:
        if self.prune is None:
            return self
        steps = self.steps // self.accelerator.gradient_accumulation.steps
        if self.prune.begin + self.prune.over > steps:
            raise PydanticCustomError(
                "unfinished_pruning",
                "prune.begin + prune.over of at most {steps}, the optimizer steps of the run",
                {"steps": steps},
            )
        if self.parallelism.shards or self.peft is not None or self.policy.use_peft:
            raise PydanticCustomError("pruned_parts", "prune without parallelism.dp_shard and without adapters")
        return self

    @model_validator(mode="after")
    def _statistics_are_there(self) -> Self:
        if self.keep_statistics and self.policy.pretrained_path is None:
            raise PydanticCustomError("no_statistics", "--policy.path with keep_statistics: a new policy has none")
        return self

    @model_validator(mode="after")
    def _validation_has_episodes(self) -> Self:
        if self.eval_steps > 0 and self.dataset.eval_split == 0:
            raise PydanticCustomError("no_split", "dataset.eval_split above 0, because eval_steps validates on it")
        if not self.use_policy_training_preset and self.optimizer is None:
            raise PydanticCustomError("no_optimizer", "an optimizer, because use_policy_training_preset is false")
        return self
