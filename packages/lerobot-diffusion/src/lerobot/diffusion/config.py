"""Configuration of Diffusion Policy. Light: it imports no array library."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.policies.backbones import Backbone, require_weights_of
from lerobot.policies.denoising.config import DenoisingConfig

FINAL_GROUPS = 8
"""Groups of the last normalisation, whatever `n_groups` is."""


class DiffusionConfig(DenoisingConfig):
    """Diffusion Policy: learns from demonstrations that solve a task in several ways."""

    target: ClassVar[str] = "lerobot.diffusion.policy:DiffusionPolicy"
    published_order: ClassVar[Sequence[str]] = (
        *("horizon", "n_action_steps", "normalization_mapping", "drop_n_last_frames", "vision_backbone"),
        *("resize_shape", "crop_ratio", "crop_shape", "crop_is_random", "pretrained_backbone_weights"),
        *("use_group_norm", "spatial_softmax_num_keypoints", "use_separate_rgb_encoder_per_camera", "down_dims"),
        *("kernel_size", "n_groups", "diffusion_step_embed_dim", "use_film_scale_modulation"),
        *("gradient_checkpointing", "noise_scheduler_type", "num_train_timesteps", "beta_schedule", "beta_start"),
        *("beta_end", "prediction_type", "clip_sample", "clip_sample_range", "num_inference_steps"),
        *("compile_model", "compile_mode", "do_mask_loss_for_padding", "optimizer_lr", "optimizer_betas"),
        *("optimizer_eps", "optimizer_weight_decay", "scheduler_name", "scheduler_warmup_steps"),
    )

    type: str = "diffusion"
    drop_n_last_frames: int | None = Field(
        default=7, ge=0, description="Frames at the end of each episode that are never drawn while training."
    )

    vision_backbone: Backbone = Field(default="resnet18", description="Network for pictures.")
    resize_shape: tuple[int, int] | None = Field(
        default=None, description="Height and width pictures are scaled to first; null: as they are."
    )
    crop_ratio: float = Field(
        default=1.0, gt=0, le=1, description="With resize_shape: share of each side that is cut out."
    )
    crop_shape: tuple[int, int] | None = Field(
        default=None, description="Height and width that are cut out of pictures; null: all of them."
    )
    crop_is_random: bool = Field(default=True, description="Cut anywhere while training, not from the centre.")
    pretrained_backbone_weights: str | None = Field(
        default="ResNet18_Weights.IMAGENET1K_V1",
        description="Weights the backbone starts from, as torchvision names them; null: random ones.",
    )
    use_group_norm: bool = Field(
        default=False, description="Normalise over groups of channels, not over the batch; only with random weights."
    )
    spatial_softmax_num_keypoints: int = Field(default=32, gt=0, description="Points found in each picture.")
    use_separate_rgb_encoder_per_camera: bool = Field(default=True, description="A backbone of its own per camera.")

    down_dims: tuple[int, ...] = Field(
        default=(512, 1024, 2048), min_length=1, description="Channels of the network, halving time between them."
    )
    kernel_size: int = Field(default=5, gt=0, description="Steps a convolution over time sees; odd.")
    n_groups: int = Field(default=8, gt=0, description="Groups of its normalisations.")
    diffusion_step_embed_dim: int = Field(default=128, ge=4, description="Width of the noise level's code; even.")
    use_film_scale_modulation: bool = Field(default=True, description="Observations scale features, not only shift.")
    gradient_checkpointing: bool = Field(
        default=False, description="Compute features again while learning, instead of keeping them."
    )

    compile_model: bool = Field(default=False, description="Compile the network with torch.compile.")
    compile_mode: str = Field(default="reduce-overhead", description="Mode of torch.compile.")

    optimizer_weight_decay: float = Field(default=1e-6, ge=0, description="Weight decay.")
    scheduler_warmup_steps: int = Field(default=500, ge=0, description="Steps of linear warm-up.")

    @model_validator(mode="after")
    def _horizon_fits(self) -> Self:
        """Time must be divisible."""
        divisor = 2 ** len(self.down_dims)
        if self.horizon % divisor:
            raise PydanticCustomError(
                "diffusion_horizon",
                "a horizon that is a multiple of {divisor}, 2 to the number of down_dims",
                {"divisor": divisor},
            )
        return self

    @model_validator(mode="after")
    def _networks_fit(self) -> Self:
        """Widths must divide, and the weights be those of the backbone."""
        if any(width % self.n_groups for width in self.down_dims) or self.down_dims[0] % FINAL_GROUPS:
            raise PydanticCustomError(
                "diffusion_groups", "down_dims that are multiples of n_groups, the first one of 8 as well"
            )
        if self.kernel_size % 2 == 0:
            raise PydanticCustomError("diffusion_kernel", "an odd kernel_size")
        if self.diffusion_step_embed_dim % 2:
            raise PydanticCustomError("diffusion_code", "an even diffusion_step_embed_dim")
        require_weights_of(self.vision_backbone, self.pretrained_backbone_weights)
        if self.use_group_norm and self.pretrained_backbone_weights is not None:
            raise PydanticCustomError(
                "diffusion_norm", "pretrained_backbone_weights = null with use_group_norm, which would spoil them"
            )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        """Sizes must be sizes."""
        for name in ("resize_shape", "crop_shape"):
            size = getattr(self, name)
            if size is not None and min(size) <= 0:
                raise PydanticCustomError("diffusion_size", "a {name} of positive numbers", {"name": name})
        if self.crop is not None and min(self.crop) <= 0:
            raise PydanticCustomError("diffusion_crop", "a crop_ratio that leaves at least one pixel")
        return self

    @property
    def crop(self) -> tuple[int, int] | None:
        """Height and width that are cut out: after scaling `crop_ratio` says, otherwise `crop_shape`."""
        if self.resize_shape is None:
            return self.crop_shape
        if self.crop_ratio == 1:
            return None
        return int(self.resize_shape[0] * self.crop_ratio), int(self.resize_shape[1] * self.crop_ratio)
