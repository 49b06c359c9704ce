"""Configuration of ACT. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.policies.backbones import Backbone, require_weights_of
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode


class ACTConfig(PreTrainedConfig):
    """Action Chunking with Transformers: fine manipulation from about fifty demonstrations."""

    target: ClassVar[str] = "lerobot.act.policy:ACTPolicy"

    type: str = "act"

    chunk_size: int = Field(default=100, gt=0, description="Actions predicted at once.")
    n_action_steps: int = Field(default=100, gt=0, description="Actions executed before predicting again.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.MEAN_STD,
            FeatureType.STATE: NormalizationMode.MEAN_STD,
            FeatureType.ACTION: NormalizationMode.MEAN_STD,
        },
        description="How each type of feature is scaled.",
    )

    vision_backbone: Backbone = Field(default="resnet18", description="Network for pictures.")
    pretrained_backbone_weights: str | None = Field(
        default="ResNet18_Weights.IMAGENET1K_V1",
        description="Weights the backbone starts from, as torchvision names them; null: random ones.",
    )
    replace_final_stride_with_dilation: bool = Field(
        default=False, description="Keep the last stage of the backbone at twice the resolution (resnet50 and up)."
    )
    pre_norm: bool = Field(default=False, description="Normalise before instead of after each transformer block.")
    dim_model: int = Field(default=512, gt=0, description="Width of the transformers.")
    n_heads: int = Field(default=8, gt=0, description="Attention heads.")
    dim_feedforward: int = Field(default=3200, gt=0, description="Hidden width of the feed-forward blocks.")
    feedforward_activation: Literal["relu", "gelu"] = Field(
        default="relu", description="Activation of the feed-forward blocks."
    )
    n_encoder_layers: int = Field(default=4, gt=0, description="Layers of the encoder.")
    n_decoder_layers: int = Field(
        default=1, gt=0, description="Layers of the decoder; the published code builds 7 and uses 1."
    )
    use_vae: bool = Field(default=True, description="Learn with a variational encoder of the demonstrated actions.")
    latent_dim: int = Field(default=32, gt=0, description="Width of its latent.")
    n_vae_encoder_layers: int = Field(default=4, gt=0, description="Its layers.")
    temporal_ensemble_coeff: float | None = Field(
        default=None, description="Average overlapping chunks with this coefficient (0.01 in the paper); null: do not."
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout in the transformers.")
    kl_weight: float = Field(default=10.0, ge=0, description="Weight of the divergence in the loss.")

    optimizer_lr: float = Field(default=1e-5, gt=0, description="Learning rate.")
    optimizer_weight_decay: float = Field(default=1e-4, ge=0, description="Weight decay.")
    optimizer_lr_backbone: float = Field(default=1e-5, ge=0, description="Learning rate of the backbone.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        """The number of observations and actions must be what the method allows."""
        if self.n_obs_steps != 1:
            raise PydanticCustomError("act_observations", "n_obs_steps = 1, because ACT sees one observation at a time")
        if self.n_action_steps > self.chunk_size:
            raise PydanticCustomError(
                "act_steps", "n_action_steps of at most the chunk_size, {size}", {"size": self.chunk_size}
            )
        if self.temporal_ensemble_coeff is not None and self.n_action_steps != 1:
            raise PydanticCustomError(
                "act_ensemble", "n_action_steps = 1 with temporal_ensemble_coeff, which predicts at every tick"
            )
        return self

    @model_validator(mode="after")
    def _networks_fit(self) -> Self:
        """Widths must divide, and the weights be those of the backbone."""
        if self.dim_model % self.n_heads or self.dim_model % 4:
            raise PydanticCustomError("act_width", "a dim_model that is a multiple of 4 and of n_heads")
        require_weights_of(self.vision_backbone, self.pretrained_backbone_weights)
        if self.replace_final_stride_with_dilation and self.vision_backbone in {"resnet8", "resnet18", "resnet34"}:
            raise PydanticCustomError("act_dilation", "resnet50 or larger with replace_final_stride_with_dilation")
        return self

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.n_action_steps

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.chunk_size)

    def optimizer_preset(self) -> Mapping[str, Any]:
        """AdamW, gradients clipped to a norm of 10."""
        return {
            "type": "adamw",
            "lr": self.optimizer_lr,
            "weight_decay": self.optimizer_weight_decay,
            "betas": [0.9, 0.999],
            "eps": 1e-8,
            "grad_clip_norm": 10.0,
        }
