"""Configuration of Pi0.5. Light: it imports no array library."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect
from lerobot.pi0.config import PiFlowConfig, StatePromptConfig
from lerobot.policies.features import FeatureType, NormalizationMode


def _unset(value: Any) -> bool:
    """The peer's release 0.6 refuses fields that it does not know."""
    return not value


class PI05PromptConfig(StatePromptConfig):
    """Writes task and state into the prompt, as Pi0.5 was taught."""

    ending: ClassVar[str] = "Action: "

    type: str = "pi05_prepare_state_tokenizer_processor_step"


class PI05Config(PiFlowConfig):
    """Pi0.5: reads the state in words, and its action expert is told the time in every layer."""

    target: ClassVar[str] = "lerobot.pi0.pi05_policy:PI05Policy"
    processors: ClassVar[str] = "lerobot.pi0.pi05_processors:pi05_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("paligemma_variant", "action_expert_variant", "dtype", "chunk_size", "n_action_steps", "max_state_dim"),
        *("max_action_dim", "num_inference_steps", "time_sampling_beta_alpha", "time_sampling_beta_beta"),
        *("time_sampling_scale", "time_sampling_offset", "min_period", "max_period", "use_relative_actions"),
        *("relative_exclude_joints", "action_feature_names", "rtc_config", "image_resolution", "empty_cameras"),
        *("tokenizer_max_length", "normalization_mapping", "gradient_checkpointing", "compile_model", "compile_mode"),
        *("freeze_vision_encoder", "train_expert_only", "optimizer_lr", "optimizer_betas", "optimizer_eps"),
        *("optimizer_weight_decay", "optimizer_grad_clip_norm", "scheduler_warmup_steps", "scheduler_decay_steps"),
        "scheduler_decay_lr",
    )

    type: str = "pi05"

    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.QUANTILES,
            FeatureType.ACTION: NormalizationMode.QUANTILES,
        },
        description="How each type of feature is scaled.",
    )
    tokenizer_max_length: int = Field(default=200, gt=0, description="Longest prompt, tokens; what is longer is cut.")
    rtc_training_max_delay: int = Field(
        default=0,
        ge=0,
        exclude_if=_unset,
        description="Learn with the first actions given, up to so many, for real-time chunking in the mode trained.",
    )
    use_visual_memory: Literal[False] = Field(default=False, exclude_if=_unset, description="Not there yet.")
    use_proprioceptive_memory: Literal[False] = Field(default=False, exclude_if=_unset, description="Not there yet.")
    memory_frames: Annotated[int, NoEffect()] = Field(default=6, gt=0, exclude=True, description="Accepted.")
    memory_stride: Annotated[int, NoEffect()] = Field(default=30, gt=0, exclude=True, description="Accepted.")
    memory_temporal_attention_every: Annotated[int, NoEffect()] = Field(
        default=4, gt=0, exclude=True, description="Accepted."
    )

    @model_validator(mode="after")
    def _delays_fit(self) -> Self:
        """A chunk must hold actions that are not given."""
        if self.rtc_training_max_delay >= self.chunk_size:
            raise PydanticCustomError(
                "pi_delay", "rtc_training_max_delay below the chunk_size, {size}", {"size": self.chunk_size}
            )
        return self
