"""Configurations of Pi0 and of what its relatives share. Light: they import no array library."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PathText, ProcessorStepConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.pi0.sizes import VARIANTS, PaliGemmaSize, Variant, paligemma_size
from lerobot.policies.features import ACTION
from lerobot.policies.networks.sizes import DecoderSize
from lerobot.policies.processing.config import NewLineConfig
from lerobot.policies.vla.config import FlowVLAConfig


def _is_default(value: Any) -> bool:
    """Fields that the peer does not know are not written: it refuses them."""
    return value is None or value == PALIGEMMA


PALIGEMMA = "google/paligemma-3b-pt-224"


class PI0NewLineConfig(NewLineConfig):
    """Ends the task with a new line, as PaliGemma was taught."""

    type: str = "pi0_new_line_processor"


class StatePromptConfig(ProcessorStepConfig):
    """Writes the state into the prompt; the base of the registered steps that do so, one per policy."""

    target: ClassVar[str] = "lerobot.pi0.prompt:StatePromptProcessorStep"
    ending: ClassVar[str] = ""
    """Of the prompt, behind the state."""


class PaliGemmaVLAConfig(FlowVLAConfig):
    """What the pi models share: PaliGemma, and images and actions as they take them."""

    paligemma_variant: Variant = Field(default="gemma_2b", description="Language model of PaliGemma, by name.")
    paligemma: PaliGemmaSize | None = Field(
        default=None, exclude_if=_is_default, description="Sizes of another one; null: those of paligemma_variant."
    )
    action_expert_variant: Variant = Field(default="gemma_300m", description="Action expert, by name.")
    action_expert: DecoderSize | None = Field(
        default=None, exclude_if=_is_default, description="Sizes of another one; null: those of its variant."
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="bfloat16: of language model and expert, but for normalisations; all else stays float32.",
    )
    use_relative_actions: bool = Field(default=False, description="Learn actions relative to the present state.")
    relative_exclude_joints: list[str] = Field(
        default=["gripper"], description="Parts of joint names whose actions stay absolute."
    )
    action_feature_names: list[str] | None = Field(
        default=None, description="Joint names, in the order of the action; null: no joint stays absolute by its name."
    )
    image_resolution: tuple[int, int] = Field(
        default=(224, 224), description="Height and width of images, equal; the rest is black."
    )
    text_tokenizer_name: PathText = Field(
        default=PALIGEMMA, exclude_if=_is_default, description="Its tokenizer: Hub repository or folder."
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Compute again in the backward pass what would fill the memory."
    )

    optimizer_lr: float = Field(default=2.5e-5, gt=0, description="Learning rate.")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        """Images must be square, and of the size that the transformer for images was made for."""
        height, width = self.image_resolution
        if height != width or self.vlm.vision.image != height:
            raise PydanticCustomError(
                "pi_images",
                "image_resolution of two equal numbers, the size of images in paligemma.vision: {size}",
                {"size": self.vlm.vision.image},
            )
        return self

    @property
    def vlm(self) -> PaliGemmaSize:
        """Sizes of PaliGemma."""
        if self.paligemma is not None:
            return self.paligemma
        return paligemma_size(self.paligemma_variant, self.image_resolution[0])

    @property
    def vocabulary(self) -> int:
        """Tokens of the language model."""
        return self.vlm.text.vocabulary

    @property
    def cast_dtype(self) -> None:
        """See `PreTrainedConfig.cast_dtype`: `dtype` says what the networks declare."""
        return None

    @property
    def empty_camera_size(self) -> tuple[int, int]:
        """See `VLAConfig.empty_camera_size`."""
        return self.image_resolution

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        if self.use_relative_actions and self.relative_exclude_joints and self.action_feature_names is None:
            raise FeatureMismatchError(
                f"relative_exclude_joints {', '.join(self.relative_exclude_joints)}, and joints have no names",
                keys=[ACTION],
                expected="action_feature_names, or relative_exclude_joints=[]",
            )


class PiFlowConfig(PaliGemmaVLAConfig):
    """What the pi models share that act by flow matching: the action expert, and times."""

    num_inference_steps: int = Field(default=10, gt=0, description="Steps from noise to actions.")
    time_sampling_beta_alpha: float = Field(default=1.5, gt=0, description="Of the times to learn from: alpha.")
    time_sampling_beta_beta: float = Field(default=1.0, gt=0, description="Of the times to learn from: beta.")
    time_sampling_scale: float = Field(default=0.999, gt=0, le=1, description="Factor of these times.")
    time_sampling_offset: float = Field(default=0.001, ge=0, lt=1, description="Added to these times.")
    min_period: float = Field(default=4e-3, gt=0, description="Shortest wave that describes time.")
    max_period: float = Field(default=4.0, gt=0, description="Longest wave that describes time.")
    freeze_vision_encoder: bool = Field(default=False, description="Leave the transformer for images as it is.")
    train_expert_only: bool = Field(default=False, description="Leave PaliGemma as it is.")

    @model_validator(mode="after")
    def _streams_fit(self) -> Self:
        """Expert and language model attend to each other, layer by layer."""
        text, expert = self.vlm.text, self.expert
        shared = ("layers", "heads", "key_heads", "head_width")
        if different := [name for name in shared if getattr(text, name) != getattr(expert, name)]:
            raise PydanticCustomError(
                "pi_streams",
                "an action expert with the {names} of PaliGemma's language model",
                {"names": ", ".join(different)},
            )
        return self

    @property
    def expert(self) -> DecoderSize:
        """Sizes of the action expert."""
        return self.action_expert if self.action_expert is not None else VARIANTS[self.action_expert_variant]


class PI0Config(PiFlowConfig):
    """Pi0: tasks told in words, learned by fine-tuning PaliGemma with an action expert beside it."""

    target: ClassVar[str] = "lerobot.pi0.policy:PI0Policy"
    processors: ClassVar[str] = "lerobot.pi0.processors:pi0_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("paligemma_variant", "action_expert_variant", "dtype", "chunk_size", "n_action_steps", "max_state_dim"),
        *("max_action_dim", "num_inference_steps", "time_sampling_beta_alpha", "time_sampling_beta_beta"),
        *("time_sampling_scale", "time_sampling_offset", "min_period", "max_period", "use_relative_actions"),
        *("relative_exclude_joints", "action_feature_names", "rtc_config", "image_resolution", "empty_cameras"),
        *("normalization_mapping", "gradient_checkpointing", "compile_model", "compile_mode"),
        *("freeze_vision_encoder", "train_expert_only", "optimizer_lr", "optimizer_betas", "optimizer_eps"),
        *("optimizer_weight_decay", "optimizer_grad_clip_norm", "scheduler_warmup_steps", "scheduler_decay_steps"),
        *("scheduler_decay_lr", "tokenizer_max_length"),
    )

    type: str = "pi0"
