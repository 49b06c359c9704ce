"""Sections of the training configuration."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from lerobot.core.config.base import ConfigModel
from lerobot.training.peer_fields import only_default


class DatasetConfig(ConfigModel):
    """The demonstrations to learn from."""

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    root: str | None = Field(default=None, description="Its folder; default: $HF_LEROBOT_HOME/<repo_id>.")
    episodes: list[int] | None = Field(default=None, description="Numbers of the episodes to use; default: all.")
    exclude_episodes: list[int] | None = Field(default=None, description="Numbers of episodes to leave out.")
    revision: str | None = Field(default=None, description="Version of the dataset on the Hub.")
    use_imagenet_stats: bool = Field(default=True, description="Normalise pictures by ImageNet's mean and deviation.")
    video_backend: str | None = Field(default=None, description="Decoder of video: pyav.")
    return_uint8: bool = Field(default=False, description="No effect: pictures always travel as bytes.")
    depth_output_unit: Literal["m", "mm"] = Field(default="mm", description="Unit of depth.")
    eval_split: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the episodes of each task to validate on; see --eval_steps."
    )
    image_transforms: dict[str, Any] = Field(default_factory=dict, description="Image augmentation: not supported.")
    repo_type: Any = Field(default=None, description="Must be 'dataset'.")
    streaming: Any = Field(default=None, description="Must be false.")

    @field_validator("repo_type", "streaming", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> None:
        only_default(str(info.field_name), value)

    @field_validator("image_transforms")
    @classmethod
    def _is_off(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("enable"):
            raise ValueError("enable: false, because image augmentation is not supported")
        return {}

    @field_validator("video_backend")
    @classmethod
    def _decodes_alike(cls, value: str | None) -> None:
        """Decoders differ between machines and not in what they give; the dataset chooses its own."""


class GradientAccumulationConfig(ConfigModel):
    """Batches per optimizer step."""

    steps: int = Field(default=1, gt=0, description="Batches whose gradients are averaged before a step.")


class DDPConfig(ConfigModel):
    """How processes share gradients."""

    find_unused_parameters: bool = Field(default=True, description="Allow parameters that a batch does not use.")
    gradient_as_bucket_view: bool = Field(default=False, description="Save memory by sharing gradient buffers.")
    static_graph: bool = Field(default=False, description="Every step uses the same parameters.")


class AcceleratorConfig(ConfigModel):
    """How the hardware is used."""

    mixed_precision: Literal["no", "fp16", "bf16"] = Field(default="no", description="Type of fast arithmetic.")
    gradient_accumulation: GradientAccumulationConfig = Field(
        default_factory=GradientAccumulationConfig, description="Batches per optimizer step."
    )
    ddp: DDPConfig = Field(default_factory=DDPConfig, description="How processes share gradients.")
    fsdp: Any = Field(default=None, description="Sharding: not supported.")
    compile: Any = Field(default=None, description="torch.compile: not supported.")
    activation_checkpointing: Any = Field(default=None, description="Not supported.")

    @field_validator("fsdp", "compile", "activation_checkpointing", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> None:
        only_default(str(info.field_name), value)


class WandBConfig(ConfigModel):
    """Weights & Biases."""

    enable: bool = Field(default=False, description="Track the run with Weights & Biases.")
    disable_artifact: bool = Field(default=False, description="No effect: checkpoints are never uploaded there.")
    project: str = Field(default="lerobot", description="Project.")
    entity: str | None = Field(default=None, description="User or team.")
    notes: str | None = Field(default=None, description="Text shown with the run.")
    run_id: str | None = Field(default=None, description="Run to continue.")
    mode: Literal["online", "offline", "disabled"] | None = Field(default=None, description="Where it is written.")
    add_tags: bool = Field(default=True, description="Tag the run with policy, dataset and seed.")


class BatchConfig(ConfigModel):
    """Fields of how batches are drawn, shared by everything that draws them."""

    num_workers: int = Field(default=4, ge=0, description="Processes that read ahead; 0 reads in between.")
    batch_size: int = Field(default=8, gt=0, description="Frames per step and process.")
    prefetch_factor: int = Field(default=4, gt=0, description="Batches each worker reads ahead.")
    persistent_workers: bool = Field(default=True, description="Keep workers from epoch to epoch.")
    dataloader_multiprocessing_context: Literal["spawn", "forkserver", "fork"] | None = Field(
        default="spawn", description="How workers are started."
    )
    tolerance_s: float = Field(default=1e-4, gt=0, description="Largest distance of a time from a frame, seconds.")


class PeerSections(ConfigModel):
    """Sections of the peer's files of which only the default is supported."""

    reward_model: Any = Field(default=None, description="Not supported.")
    peft: Any = Field(default=None, description="Not supported.")
    sample_weighting: Any = Field(default=None, description="Not supported.")
    job: Any = Field(default=None, description="Remote jobs: not supported.")
    parallelism: Any = Field(default=None, description="Sharded models: not supported.")
    ema: Any = Field(default=None, description="Moving average of the weights: not supported.")
    checkpoint_format: Any = Field(default=None, description="Must be 'safetensors'.")
    save_checkpoint_to_hub: Any = Field(default=None, description="Must be false; see --policy.repo_id.")

    @field_validator("*", mode="before")
    @classmethod
    def _is_default(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name in PeerSections.model_fields:
            only_default(str(info.field_name), value)
            return None
        return value
