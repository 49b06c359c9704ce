"""Configuration of Diffusion Policy. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.policies.backbones import Backbone, require_weights_of
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode

FINAL_GROUPS = 8
"""Groups of the last normalisation, whatever `n_groups` is."""


class DiffusionConfig(PreTrainedConfig):
    """Diffusion Policy: learns from demonstrations that solve a task in several ways."""

    target: ClassVar[str] = "lerobot.diffusion.policy:DiffusionPolicy"

    type: str = "diffusion"
    n_obs_steps: int = Field(default=2, ge=1, description="Observations handed to the policy, the newest included.")

    horizon: int = Field(default=64, gt=0, description="Actions predicted at once, from the oldest observation on.")
    n_action_steps: int = Field(default=32, gt=0, description="Actions executed before predicting again.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.MEAN_STD,
            FeatureType.STATE: NormalizationMode.MIN_MAX,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled.",
    )
    drop_n_last_frames: int = Field(
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

    noise_scheduler_type: Literal["DDPM", "DDIM"] = Field(default="DDPM", description="How noise is taken away.")
    num_train_timesteps: int = Field(default=100, gt=0, description="Levels of noise.")
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = Field(
        default="squaredcos_cap_v2", description="How noise grows from level to level."
    )
    beta_start: float = Field(default=0.0001, gt=0, lt=1, description="Noise of the first level; linear schedules.")
    beta_end: float = Field(default=0.02, gt=0, lt=1, description="Noise of the last level; linear schedules.")
    prediction_type: Literal["epsilon", "sample"] = Field(
        default="epsilon", description="What the network predicts: the noise, or the actions."
    )
    clip_sample: bool = Field(default=True, description="Keep predicted actions in range at every level.")
    clip_sample_range: float = Field(default=1.0, gt=0, description="That range, normalised.")

    num_inference_steps: int | None = Field(
        default=None, gt=0, description="Levels visited while acting; null: num_train_timesteps."
    )
    compile_model: bool = Field(default=False, description="Compile the network with torch.compile.")
    compile_mode: str = Field(default="reduce-overhead", description="Mode of torch.compile.")

    do_mask_loss_for_padding: bool = Field(
        default=False, description="Leave actions behind the end of an episode out of the loss."
    )

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.95, 0.999), description="Decay of the running moments.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    optimizer_weight_decay: float = Field(default=1e-6, ge=0, description="Weight decay.")
    scheduler_name: Literal["cosine", "linear", "constant", "constant_with_warmup"] = Field(
        default="cosine", description="Learning rate after the warm-up."
    )
    scheduler_warmup_steps: int = Field(default=500, ge=0, description="Steps of linear warm-up.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        """Time must be divisible, and what is executed be predicted."""
        divisor = 2 ** len(self.down_dims)
        if self.horizon % divisor:
            raise PydanticCustomError(
                "diffusion_horizon",
                "a horizon that is a multiple of {divisor}, 2 to the number of down_dims",
                {"divisor": divisor},
            )
        if self.n_action_steps > (most := self.horizon - self.n_obs_steps + 1):
            raise PydanticCustomError(
                "diffusion_steps", "n_action_steps of at most horizon - n_obs_steps + 1 = {most}", {"most": most}
            )
        if self.num_inference_steps is not None and self.num_inference_steps > self.num_train_timesteps:
            raise PydanticCustomError(
                "diffusion_levels", "num_inference_steps of at most num_train_timesteps, {most}",
                {"most": self.num_train_timesteps},
            )  # fmt: skip
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

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The last observations."""
        return range(1 - self.n_obs_steps, 1)

    @property
    def unlearned_last_frames(self) -> int:
        """See `PreTrainedConfig.unlearned_last_frames`."""
        return self.drop_n_last_frames

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.n_action_steps

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The horizon, from the oldest observation on."""
        return range(1 - self.n_obs_steps, 1 - self.n_obs_steps + self.horizon)

    def optimizer_preset(self) -> Mapping[str, Any]:
        """Adam, gradients clipped to a norm of 10."""
        return {
            "type": "adam",
            "lr": self.optimizer_lr,
            "betas": list(self.optimizer_betas),
            "eps": self.optimizer_eps,
            "weight_decay": self.optimizer_weight_decay,
            "grad_clip_norm": 10.0,
        }

    def scheduler_preset(self) -> Mapping[str, Any]:
        """Warm-up, then a cosine."""
        return {"type": "diffuser", "name": self.scheduler_name, "num_warmup_steps": self.scheduler_warmup_steps}
