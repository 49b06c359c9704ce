"""Sections of the training configuration."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel, NoEffect, PathText
from lerobot.training.augmentation.config import ImageTransformsConfig
from lerobot.training.peer_fields import only_default


class EpisodesConfig(ConfigModel):
    """A dataset, and which of its episodes to use."""

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    root: PathText | None = Field(default=None, description="Its folder; default: $HF_LEROBOT_HOME/<repo_id>.")
    episodes: list[int] | None = Field(default=None, description="Numbers of the episodes to use; default: all.")
    exclude_episodes: list[int] | None = Field(default=None, description="Numbers of episodes to leave out.")
    revision: str | None = Field(default=None, description="Version of the dataset on the Hub.")
    filter: list[str] | str = Field(
        default_factory=list,
        description="Conditions on the frames to draw, all of them, such as 'outcome == success', "
        "'any(next.success) == true' or 'intervention == true'.",
    )

    @property
    def conditions(self) -> list[str]:
        """Those of `filter`, also where only one is given."""
        return [self.filter] if isinstance(self.filter, str) else self.filter


class SourceConfig(EpisodesConfig):
    """A further dataset of a mixture."""

    weight: float = Field(default=1.0, gt=0, description="Share in what is drawn, relative to the others.")
    feature_map: dict[str, str] = Field(
        default_factory=dict, description="Name of a feature in this dataset: its name in the first one."
    )


class DatasetConfig(EpisodesConfig):
    """The demonstrations to learn from."""

    removed_fields: ClassVar[Mapping[str, str]] = {"local_files_only": "0.1.0"}

    use_imagenet_stats: bool = Field(default=True, description="Normalise pictures by ImageNet's mean and deviation.")
    video_backend: str | None = Field(default=None, description="Decoder of video: pyav.")
    return_uint8: Annotated[bool, NoEffect()] = Field(
        default=False, description="No effect: pictures always travel as bytes."
    )
    in_memory: bool = Field(
        default=False,
        description="Keep every picture in memory once it is decoded; for small datasets, with --num_workers=0.",
    )
    depth_output_unit: Literal["m", "mm"] = Field(default="mm", description="Unit of depth.")
    eval_split: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the episodes of each task to validate on; see --eval_steps."
    )
    image_transforms: ImageTransformsConfig = Field(
        default_factory=ImageTransformsConfig, description="Random changes of pictures while training."
    )
    state_noise: float = Field(
        default=0.0,
        ge=0,
        description="Noise on the robot's states while training: its deviation, in parts of each number's own.",
    )
    streaming: bool = Field(default=False, description="Read episodes as they are needed, without a copy of them all.")
    weight: float = Field(default=1.0, gt=0, description="Share of this dataset in what is drawn; see mix_with.")
    mix_with: list[SourceConfig] = Field(
        default_factory=list,
        description="Further datasets to draw from: [{repo_id: owner/name, weight: 0.5, feature_map: {old: new}}].",
    )
    repo_type: Any = Field(default=None, description="Must be 'dataset'.")

    @field_validator("repo_type", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> None:
        only_default(str(info.field_name), value)

    @field_validator("video_backend")
    @classmethod
    def _decodes_alike(cls, value: str | None) -> None:
        """Decoders differ between machines and not in what they give; the dataset chooses its own."""

    @model_validator(mode="after")
    def _one_way_of_drawing(self) -> Self:
        if self.streaming and self.mix_with:
            raise PydanticCustomError("stream_of_many", "streaming of one dataset; copy the datasets of a mixture")
        if self.streaming and self.filter:
            raise PydanticCustomError("filtered_stream", "no filter while streaming, which knows no episode as a whole")
        return self


class GradientAccumulationConfig(ConfigModel):
    """Batches per optimizer step."""

    steps: int = Field(default=1, gt=0, description="Batches whose gradients are averaged before a step.")


class DDPConfig(ConfigModel):
    """How processes share gradients."""

    find_unused_parameters: bool = Field(default=True, description="Allow parameters that a batch does not use.")
    gradient_as_bucket_view: bool = Field(default=False, description="Save memory by sharing gradient buffers.")
    static_graph: bool = Field(default=False, description="Every step uses the same parameters.")


CheckpointFormat = Literal["safetensors", "dcp", "safetensors_dcp"]
"""What a checkpoint of a model that processes share holds: it as a whole, the part of each process, or both."""


class FSDPConfig(ConfigModel):
    """How a model is spread over processes; see `ParallelismConfig.dp_shard`."""

    reshard_after_forward: bool = Field(
        default=True, description="Free the weights of a block after it computed, and gather them again to learn."
    )
    wrap_modules: list[str] | None = Field(
        default=None, description="Names of the classes of what is gathered at once; default: the policy's blocks."
    )
    min_num_params: int | None = Field(
        default=None, gt=0, description="Weights a block must have to be gathered by itself; default: any."
    )
    cpu_offload: Any = Field(default=None, description="Not supported.")
    ignored_modules: Any = Field(default=None, description="Not supported.")

    @field_validator("cpu_offload", "ignored_modules", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> None:
        only_default(f"fsdp.{info.field_name}", value)

    @model_validator(mode="after")
    def _one_way_of_choosing(self) -> Self:
        if self.wrap_modules is not None and self.min_num_params is not None:
            raise PydanticCustomError("two_ways", "wrap_modules or min_num_params, not both")
        return self


class CompileConfig(ConfigModel):
    """Faster programs of torch.compile, for learning."""

    enabled: bool = Field(default=False, description="Compile what learns; the first steps take longer.")
    backend: str = Field(default="inductor", description="Compiler, as torch calls it.")
    mode: Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"] | None = Field(
        default=None, description="How much the compiler tries; default: torch's."
    )
    regional: bool = Field(default=True, description="Compile each block by itself, and not the policy as a whole.")


class ActivationCheckpointingConfig(ConfigModel):
    """Memory for time: what blocks compute is not kept, and is computed again to learn."""

    mode: Literal["none", "full"] = Field(default="none", description="full: keep nothing but what goes into a block.")


class ParallelismConfig(ConfigModel):
    """How processes share a model. All degrees together are the number of processes."""

    dp_replicate: int = Field(default=1, gt=0, description="Groups of processes that each hold a whole model.")
    dp_shard: int = Field(
        default=1, ge=-1, description="Processes that hold one model together (FSDP); -1: all of a group. 1: none."
    )
    context_parallel: Any = Field(default=None, description="Not supported.")
    cfg_parallel: Any = Field(default=None, description="Not supported.")

    @field_validator("context_parallel", "cfg_parallel", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> None:
        only_default(f"parallelism.{info.field_name}", value)

    @field_validator("dp_shard")
    @classmethod
    def _is_a_degree(cls, value: int) -> int:
        if value == 0:
            raise PydanticCustomError("no_degree", "a number of processes, or -1 for all")
        return value

    @property
    def shards(self) -> bool:
        """Whether processes hold a model together."""
        return self.dp_shard != 1


class AcceleratorConfig(ConfigModel):
    """How the hardware is used."""

    mixed_precision: Literal["no", "fp16", "bf16"] = Field(default="no", description="Type of fast arithmetic.")
    gradient_accumulation: GradientAccumulationConfig = Field(
        default_factory=GradientAccumulationConfig, description="Batches per optimizer step."
    )
    ddp: DDPConfig = Field(default_factory=DDPConfig, description="How processes share gradients.")
    fsdp: FSDPConfig = Field(default_factory=FSDPConfig, description="How a model is spread; see --parallelism.")
    compile: CompileConfig = Field(default_factory=CompileConfig, description="torch.compile.")
    activation_checkpointing: ActivationCheckpointingConfig = Field(
        default_factory=ActivationCheckpointingConfig, description="Less memory for more time."
    )


class WandBConfig(ConfigModel):
    """Weights & Biases."""

    enable: bool = Field(default=False, description="Track the run with Weights & Biases.")
    disable_artifact: Annotated[bool, NoEffect()] = Field(
        default=False, description="No effect: checkpoints are never uploaded there."
    )
    project: str = Field(default="lerobot", description="Project.")
    entity: str | None = Field(default=None, description="User or team.")
    notes: str | None = Field(default=None, description="Text shown with the run.")
    run_id: str | None = Field(default=None, description="Run to continue.")
    mode: Literal["online", "offline", "disabled"] | None = Field(default=None, description="Where it is written.")
    add_tags: bool = Field(default=True, description="Tag the run with policy, dataset and seed.")


class EMAConfig(ConfigModel):
    """An exponential moving average of the weights."""

    enable: bool = Field(default=False, description="Keep one beside the weights, and save it with them.")
    decay: float | None = Field(default=None, ge=0, le=1, description="Constant decay; default: one that grows.")
    update_after_step: int = Field(default=0, ge=0, description="Optimizer steps before averaging begins.")
    inv_gamma: float = Field(default=1.0, gt=0, description="The larger, the slower the decay grows.")
    power: float = Field(default=0.75, gt=0, description="Exponent of its growth.")
    min_decay: float = Field(default=0.0, ge=0, le=1, description="Smallest decay.")
    max_decay: float = Field(default=0.9999, ge=0, le=1, description="Largest decay.")
    use_for_eval: bool = Field(default=True, description="Validate and evaluate the average.")


class PeftConfig(ConfigModel):
    """Adapters: a few new weights are learned, and those of the base policy stay."""

    target_modules: list[str] | str | None = Field(
        default=None, description="Modules that get an adapter: ends of names, a regular expression, or 'all-linear'."
    )
    full_training_modules: list[str] | None = Field(default=None, description="Modules that are learned as a whole.")
    method_type: Literal["LORA"] = Field(default="LORA", description="Kind of adapter.")
    init_type: str | None = Field(default=None, description="How adapters begin, as peft calls it; default: peft's.")
    r: int = Field(default=16, gt=0, description="Rank of the adapters.")
    lora_alpha: int | None = Field(default=None, gt=0, description="Their scale, times r; default: peft's.")


class TeacherConfig(ConfigModel):
    """A trained policy whose actions are learned in place of the demonstrations'."""

    path: PathText = Field(description="Its folder or Hub repository; its device and type are those of the policy.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of that repository.")
    weight: float = Field(
        default=1.0, ge=0, le=1, description="Its share in the actions that are learned; the rest is the dataset's."
    )


class PruneConfig(ConfigModel):
    """Weights that become zero while training, and stay so."""

    amount: float = Field(gt=0, lt=1, description="Share that is zero in the end: of all weights, or of each's heads.")
    kind: Literal["magnitude", "heads"] = Field(
        default="magnitude",
        description="magnitude: the smallest weights of linear and convolution layers; heads: heads of attention.",
    )
    begin: int = Field(default=0, ge=0, description="Optimizer steps before the first weight goes.")
    over: int = Field(default=0, ge=0, description="Optimizer steps in which they go, most of them early; 0: at once.")
    every: int = Field(default=100, gt=0, description="Optimizer steps between two choices meanwhile.")


class BatchConfig(ConfigModel):
    """Fields of how batches are drawn, shared by everything that draws them."""

    num_workers: int | None = Field(
        default=None, ge=0, description="Processes that read ahead; 0 reads in between. Default: 4, but one per core."
    )
    batch_size: int = Field(default=8, gt=0, description="Frames per step and process.")
    prefetch_factor: int = Field(default=4, gt=0, description="Batches each worker reads ahead.")
    persistent_workers: bool = Field(default=True, description="Keep workers from epoch to epoch.")
    dataloader_multiprocessing_context: Literal["spawn", "forkserver", "fork"] | None = Field(
        default="spawn", description="How workers are started."
    )
    tolerance_s: float = Field(default=1e-4, gt=0, description="Largest distance of a time from a frame, seconds.")

    @property
    def workers(self) -> int:
        """Processes that read ahead: as many as asked for; else four, but no more than there are cores."""
        if self.num_workers is not None:
            return self.num_workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return min(4, cores or 1)


class LaunchConfig(ConfigModel):
    """Processes that an engine starts; see `--executor`."""

    nodes: int = Field(default=1, gt=0, description="Machines.")
    processes_per_node: int = Field(default=1, gt=0, description="Processes on each, one per GPU.")
    log_folder: Path | None = Field(
        default=None, description="Folder of what they print; default: outputs/launch/<date>/<time>_<job_name>."
    )


class PeerSections(ConfigModel):
    """Sections of the peer's files of which only the default is supported."""

    reward_model: Any = Field(default=None, description="Not supported.")
    sample_weighting: Any = Field(default=None, description="Not supported.")
    use_rabc: Any = Field(default=None, description="Not supported; sample_weighting in earlier releases.")
    job: Any = Field(default=None, description="Remote jobs: not supported.")
    save_checkpoint_to_hub: Any = Field(default=None, description="Must be false; see --policy.repo_id.")

    @field_validator("*", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name in PeerSections.model_fields:
            only_default(str(info.field_name), value)
            return None
        return value
