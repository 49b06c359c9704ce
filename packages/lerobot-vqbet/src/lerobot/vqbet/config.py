"""Configuration of VQ-BeT. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import SchedulerConfig
from lerobot.policies.backbones import Backbone, require_weights_of
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode


class VQBeTConfig(PreTrainedConfig):
    """VQ-BeT: learns actions as codes first, and then which codes follow what is observed."""

    target: ClassVar[str] = "lerobot.vqbet.policy:VQBeTPolicy"

    removed_fields: ClassVar[Mapping[str, str]] = {"mlp_hidden_dim": "0.3.3"}

    type: str = "vqbet"
    n_obs_steps: int = Field(default=5, ge=1, description="Observations handed to the policy, the newest included.")

    n_action_pred_token: int = Field(default=3, gt=0, description="Chunks predicted from the newest observation on.")
    action_chunk_size: int = Field(default=5, gt=0, description="Actions of a chunk, which is executed whole.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.MIN_MAX,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled.",
    )

    vision_backbone: Backbone = Field(default="resnet18", description="Network for pictures.")
    crop_shape: tuple[int, int] | None = Field(
        default=(84, 84), description="Height and width that are cut out of pictures; null: all of them."
    )
    crop_is_random: bool = Field(default=True, description="Cut anywhere while training, not from the centre.")
    pretrained_backbone_weights: str | None = Field(
        default="ResNet18_Weights.IMAGENET1K_V1",
        description="Weights the backbone starts from, as torchvision names them; null: random ones.",
    )
    use_group_norm: bool = Field(
        default=False, description="Normalise over groups of channels, not over the batch; only with random weights."
    )
    spatial_softmax_num_keypoints: int = Field(default=32, gt=0, description="Points found in the picture.")

    n_vqvae_training_steps: int = Field(
        default=20000, gt=0, description="Steps at the beginning in which actions are learned as codes."
    )
    vqvae_n_embed: int = Field(default=16, gt=0, description="Codes of each of the two layers.")
    vqvae_embedding_dim: int = Field(default=256, gt=0, description="Numbers a code stands for.")
    vqvae_enc_hidden_dim: int = Field(default=128, gt=0, description="Hidden width on the way to codes and back.")

    gpt_block_size: int = Field(default=500, gt=0, description="Tokens the transformer has positions for.")
    gpt_input_dim: int = Field(default=512, gt=0, description="Width of its inputs.")
    gpt_output_dim: int = Field(default=512, gt=0, description="Width of its outputs.")
    gpt_n_layer: int = Field(default=8, gt=0, description="Its layers.")
    gpt_n_head: int = Field(default=8, gt=0, description="Its attention heads.")
    gpt_hidden_dim: int = Field(default=512, gt=0, description="Its width.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout in it.")

    offset_loss_weight: float = Field(default=10000.0, ge=0, description="Weight of the error of actions in the loss.")
    primary_code_loss_weight: float = Field(default=5.0, ge=0, description="Weight of the first code in the loss.")
    secondary_code_loss_weight: float = Field(default=0.5, ge=0, description="Weight of the second code in the loss.")
    bet_softmax_temperature: float = Field(
        default=0.1, gt=0, description="Temperature codes are drawn with; small: mostly the likeliest."
    )
    sequentially_select: bool = Field(default=False, description="Draw the second code knowing the first.")

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.95, 0.999), description="Decay of the running moments.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    optimizer_weight_decay: float = Field(default=1e-6, ge=0, description="Weight decay.")
    optimizer_vqvae_lr: float = Field(default=1e-3, gt=0, description="Learning rate of actions as codes.")
    optimizer_vqvae_weight_decay: float = Field(default=1e-4, ge=0, description="Weight decay of actions as codes.")
    scheduler_warmup_steps: int = Field(default=500, ge=0, description="Steps of linear warm-up, after the codes.")

    @model_validator(mode="after")
    def _networks_fit(self) -> Self:
        """Widths must divide, tokens have positions, and the weights be those of the backbone."""
        if self.gpt_hidden_dim % self.gpt_n_head:
            raise PydanticCustomError("vqbet_width", "a gpt_hidden_dim that is a multiple of gpt_n_head")
        if (tokens := 3 * self.n_obs_steps + self.n_action_pred_token - 1) > self.gpt_block_size:
            raise PydanticCustomError(
                "vqbet_tokens", "a gpt_block_size of at least the {tokens} tokens of all steps", {"tokens": tokens}
            )
        if self.crop_shape is not None and min(self.crop_shape) <= 0:
            raise PydanticCustomError("vqbet_crop", "a crop_shape of positive numbers")
        require_weights_of(self.vision_backbone, self.pretrained_backbone_weights)
        if self.use_group_norm and self.pretrained_backbone_weights is not None:
            raise PydanticCustomError(
                "vqbet_norm", "pretrained_backbone_weights = null with use_group_norm, which would spoil them"
            )
        return self

    @property
    def n_chunks(self) -> int:
        """Chunks that are predicted, one from each observation and those after the newest."""
        return self.n_obs_steps + self.n_action_pred_token - 1

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The last observations."""
        return range(1 - self.n_obs_steps, 1)

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.action_chunk_size

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """All actions of all chunks, from the oldest observation on."""
        return range(1 - self.n_obs_steps, self.n_action_pred_token + self.action_chunk_size - 1)

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
        """The full rate while codes are learned, then warm-up and a cosine."""
        return {
            "type": "vqbet",
            "num_warmup_steps": self.scheduler_warmup_steps,
            "num_vqvae_training_steps": self.n_vqvae_training_steps,
        }


class VQBeTSchedulerConfig(SchedulerConfig):
    """Full rate while the codes are learned, then warm-up and cosine."""

    target: ClassVar[str] = "lerobot.vqbet.schedule:make_schedule"

    type: str = "vqbet"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up, after the codes.")
    num_vqvae_training_steps: int = Field(ge=0, description="Steps in which the codes are learned.")
    num_cycles: float = Field(default=0.5, gt=0, description="Waves of the cosine.")
