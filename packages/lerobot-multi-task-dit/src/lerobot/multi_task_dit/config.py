"""Configuration of Multi-Task DiT. Light: it imports no array library."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PathText
from lerobot.core.errors import FeatureMismatchError
from lerobot.multi_task_dit.sizes import CLIP_B16, sizes_of
from lerobot.policies.denoising.config import DenoisingConfig
from lerobot.policies.networks.sizes import ClipTextSize, ClipVisionSize

Size = tuple[int, int]
"""Height and width of an image, pixels."""


class MultiTaskDiTConfig(DenoisingConfig):
    """Multi-Task DiT: one transformer that learns several tasks told in words, by diffusion or flow matching."""

    target: ClassVar[str] = "lerobot.multi_task_dit.policy:MultiTaskDiTPolicy"
    processors: ClassVar[str] = "lerobot.multi_task_dit.processors:multi_task_dit_processors"
    published_order: ClassVar[Sequence[str]] = (
        *("horizon", "n_action_steps", "objective", "noise_scheduler_type", "num_train_timesteps", "beta_schedule"),
        *("beta_start", "beta_end", "prediction_type", "clip_sample", "clip_sample_range", "num_inference_steps"),
        *("sigma_min", "num_integration_steps", "integration_method", "timestep_sampling_strategy"),
        *("timestep_sampling_s", "timestep_sampling_alpha", "timestep_sampling_beta", "hidden_dim", "num_layers"),
        *("num_heads", "dropout", "use_positional_encoding", "timestep_embed_dim", "use_rope", "rope_base"),
        *("vision_encoder_name", "use_separate_rgb_encoder_per_camera", "vision_encoder_lr_multiplier"),
        *("image_resize_shape", "image_crop_shape", "image_crop_is_random", "text_encoder_name"),
        *("tokenizer_max_length", "tokenizer_padding", "tokenizer_padding_side", "tokenizer_truncation"),
        *("normalization_mapping", "optimizer_lr", "optimizer_betas", "optimizer_eps", "optimizer_weight_decay"),
        *("scheduler_name", "scheduler_warmup_steps", "do_mask_loss_for_padding", "drop_n_last_frames"),
    )

    type: str = "multi_task_dit"

    horizon: int = Field(default=32, gt=0, description="Actions predicted at once, from the oldest observation on.")
    n_action_steps: int = Field(default=24, gt=0, description="Actions executed before predicting again.")
    objective: Literal["diffusion", "flow_matching"] = Field(
        default="diffusion", description="How actions are made of noise: level by level, or along a velocity."
    )

    sigma_min: float = Field(default=0.0, ge=0, le=1, description="Flow matching: noise that is left in the actions.")
    num_integration_steps: int = Field(default=100, gt=0, description="Flow matching: steps from noise to actions.")
    integration_method: Literal["euler", "rk4"] = Field(
        default="euler", description="Flow matching: Euler's steps, or those of Runge and Kutta, of four passes each."
    )
    timestep_sampling_strategy: Literal["beta", "uniform"] = Field(
        default="beta", description="Flow matching: how times are drawn while learning."
    )
    timestep_sampling_s: float = Field(default=0.999, gt=0, le=1, description="With beta: the latest time; 1 is data.")
    timestep_sampling_alpha: float = Field(default=1.5, gt=0, description="With beta: the larger, the earlier times.")
    timestep_sampling_beta: float = Field(default=1.0, gt=0, description="With beta: the larger, the later times.")

    hidden_dim: int = Field(default=512, gt=0, description="Width of the transformer.")
    num_layers: int = Field(default=6, gt=0, description="Its layers.")
    num_heads: int = Field(default=8, gt=0, description="Its heads of attention.")
    dropout: float = Field(default=0.1, ge=0, le=1, description="Of attention, while learning.")
    use_positional_encoding: bool = Field(default=False, description="Add learned positions to actions.")
    timestep_embed_dim: int = Field(default=256, ge=4, description="Width of the code of level or time; even.")
    use_rope: bool = Field(default=True, description="Rotary positions in attention.")
    rope_base: float = Field(default=10000.0, gt=0, description="Their longest wavelength, by a full turn.")

    vision_encoder_name: PathText = Field(
        default=CLIP_B16, description="CLIP that looks at images: Hub repository or folder."
    )
    vision_size: ClipVisionSize | None = Field(
        default=None,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: value is None,
        description="Its sizes, to begin with random weights; null: those of vision_encoder_name, and its weights.",
    )
    use_separate_rgb_encoder_per_camera: bool = Field(default=False, description="One of its own per camera.")
    vision_encoder_lr_multiplier: float = Field(default=0.1, ge=0, description="Its learning rate, in optimizer_lr.")
    image_resize_shape: Size | None = Field(
        default=None, description="Height and width images are scaled to first; null: as they are."
    )
    image_crop_shape: Size | None = Field(
        default=(224, 224), description="Height and width cut out of images, if they are larger; null: all of them."
    )
    image_crop_is_random: bool = Field(default=True, description="Cut anywhere while training, not from the centre.")

    text_encoder_name: PathText = Field(
        default=CLIP_B16, description="CLIP that reads the task, tokenizer included: Hub repository or folder."
    )
    text_size: ClipTextSize | None = Field(
        default=None,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: value is None,
        description="Its sizes, to begin with random weights; null: those of text_encoder_name, and its weights.",
    )
    tokenizer_max_length: int = Field(default=77, gt=0, description="Longest task, tokens.")
    tokenizer_padding: Literal["max_length", "longest"] = Field(
        default="max_length", description="What short tasks are filled up to."
    )
    tokenizer_padding_side: Literal["right", "left"] = Field(default="right", description="Where they are filled up.")
    tokenizer_truncation: bool = Field(default=True, description="Cut tasks that are too long.")

    optimizer_lr: float = Field(default=2e-5, gt=0, description="Learning rate.")

    @field_validator("vision_encoder_name", "text_encoder_name")
    @classmethod
    def _is_clip(cls, name: str) -> str:
        """Published files are read so by huggingface/lerobot as well."""
        if "clip" not in name.lower():
            raise PydanticCustomError("dit_clip", "the name of a CLIP, which has 'clip' in it")
        return name

    @model_validator(mode="after")
    def _networks_fit(self) -> Self:
        """Widths must divide."""
        if self.hidden_dim % self.num_heads:
            raise PydanticCustomError("dit_heads", "a hidden_dim that is a multiple of num_heads")
        if self.use_rope and self.hidden_dim // self.num_heads % 2:
            raise PydanticCustomError("dit_rope", "heads of an even width, hidden_dim / num_heads, with use_rope")
        if self.timestep_embed_dim % 2:
            raise PydanticCustomError("dit_code", "an even timestep_embed_dim")
        if self.beta_start > self.beta_end:
            raise PydanticCustomError("dit_noise", "beta_start of at most beta_end")
        for name in ("image_resize_shape", "image_crop_shape"):
            size = getattr(self, name)
            if size is not None and min(size) <= 0:
                raise PydanticCustomError("dit_size", "{name} of positive numbers", {"name": name})
        return self

    @property
    def crop(self) -> Size | None:
        """Height and width that are cut out of images; None where a camera's are not as large."""
        images = [feature.shape[1:] for feature in self.image_features.values()]
        sizes = images if self.image_resize_shape is None else [self.image_resize_shape]
        cut = self.image_crop_shape
        if cut is None or any(height < cut[0] or width < cut[1] for height, width in sizes):
            return None
        return cut

    @property
    def vision(self) -> ClipVisionSize:
        """Sizes of the encoder for images, read from its folder or the Hub if nothing else says them.

        Raises:
            CheckpointError: nobody knows them.
        """
        return self.vision_size if self.vision_size is not None else sizes_of(self.vision_encoder_name)[0]

    @property
    def text(self) -> ClipTextSize:
        """Sizes of the encoder for texts; see `vision`."""
        return self.text_size if self.text_size is not None else sizes_of(self.text_encoder_name)[1]

    @property
    def vocabulary(self) -> int:
        """Tokens of the encoder for texts."""
        return self.text.vocabulary

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        if self.robot_state_feature is None or self.action_feature is None:
            raise FeatureMismatchError(
                f"policy {self.type!r} has the inputs {', '.join(self.input_features)} and the outputs "
                f"{', '.join(self.output_features)}",
                keys=["observation.state"],
                expected="the robot's state as observation.state, and 'action' as output",
            )
        images = {key: feature.shape for key, feature in self.image_features.items()}
        if not images:
            return
        first = next(iter(images.values()))
        if wrong := [key for key, shape in images.items() if shape != first or shape[0] != 3]:
            raise FeatureMismatchError(
                f"policy {self.type!r} has the images {', '.join(f'{key} {shape}' for key, shape in images.items())}",
                keys=wrong,
                expected="images (3, H, W), all of one size",
            )
        height, width = self.crop or self.image_resize_shape or first[1:]
        side = self.vision.image
        if (height, width) != (side, side):
            raise FeatureMismatchError(
                f"images of {first[1]} x {first[2]} come to the encoder as {height} x {width}",
                keys=list(images),
                expected=f"{side} x {side}, which {self.vision_encoder_name} takes",
                hint=f"Scale them: --policy.image_resize_shape='[{side}, {side}]' --policy.image_crop_shape=null",
            )
        if self.tokenizer_max_length > self.text.positions:
            raise FeatureMismatchError(
                f"tokenizer_max_length is {self.tokenizer_max_length}",
                expected=f"at most the {self.text.positions} tokens that {self.text_encoder_name} reads",
            )
