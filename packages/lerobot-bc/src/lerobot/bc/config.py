"""Configuration of behaviour cloning. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.backbones import Backbone, require_weights_of
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode

Head = Literal["deterministic", "gaussian", "gmm", "vae"]
Loss = Literal["l1", "l2"]


class BCConfig(PreTrainedConfig):
    """What the policies of this package share: how they see, what they predict, and what they learn."""

    n_obs_steps: int = Field(default=1, ge=1, description="Observations the network remembers, the newest included.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.MEAN_STD,
            FeatureType.STATE: NormalizationMode.MEAN_STD,
            FeatureType.ENV: NormalizationMode.MEAN_STD,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled; actions must be MIN_MAX.",
    )

    objective: Literal["bc", "bcq", "rwr", "awr"] = Field(
        default="bc",
        description="bc: copy; rwr, awr: copy more what brought more; bcq: the best of what could be copied.",
    )
    head: Head | None = Field(
        default=None,
        description="How actions are predicted: deterministic, gaussian, gmm (a mixture of Gaussians) or vae; null: "
        "vae for bcq, else deterministic.",
    )
    loss: Loss = Field(default="l2", description="Error of a deterministic head; the others have their likelihood's.")

    vision_backbone: Backbone = Field(default="resnet18", description="Network for pictures.")
    pretrained_backbone_weights: str | None = Field(
        default=None, description="Weights the backbone starts from, as torchvision names them; null: random ones."
    )
    crop_ratio: float = Field(
        default=0.9, gt=0, le=1, description="Part of a picture's sides that is cut out, anywhere while training."
    )
    spatial_softmax_num_keypoints: int = Field(default=32, gt=0, description="Points found in a picture.")
    image_feature_dim: int = Field(default=64, gt=0, description="Numbers that a picture becomes.")

    gmm_modes: int = Field(default=5, gt=0, description="Gaussians of the mixture.")
    vae_latent_dim: int | None = Field(default=None, gt=0, description="Latent numbers; null: two per action.")
    vae_hidden_dims: tuple[int, ...] = Field(default=(300, 400), description="Hidden widths of the VAE.")
    vae_kl_weight: float = Field(default=0.5, ge=0, description="Weight of the latent's divergence.")

    discount: float = Field(default=0.99, gt=0, le=1, description="Worth of a reward one step later.")
    temperature: float = Field(
        default=1.0, gt=0, description="rwr, awr: how little it matters that one return is better, in deviations."
    )
    max_weight: float = Field(default=20.0, gt=0, description="rwr, awr: largest weight of an action.")
    value_hidden_dims: tuple[int, ...] = Field(default=(128, 64), description="awr: hidden widths of the value.")
    critic_hidden_dims: tuple[int, ...] = Field(default=(400, 300), description="bcq: hidden widths of the critics.")
    critic_count: int = Field(default=2, ge=1, description="bcq: critics.")
    pessimism: float = Field(default=0.75, ge=0, le=1, description="bcq: weight of the lowest critic in a target.")
    perturbation: float = Field(default=0.05, ge=0, le=1, description="bcq: farthest change of a sampled action.")
    target_samples: int = Field(default=10, gt=0, description="bcq: actions compared to judge what comes next.")
    acting_samples: int = Field(default=100, gt=0, description="bcq: actions compared while acting.")
    target_rate: float = Field(default=0.005, gt=0, le=1, description="bcq: how fast the slow copies follow.")

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        """A head must be one the objective can use, and the weights be those of the backbone."""
        require_weights_of(self.vision_backbone, self.pretrained_backbone_weights)
        if self.objective == "bcq" and self.head == "deterministic":
            raise PydanticCustomError("bc_sampler", "a head that bcq can draw from: vae, gmm or gaussian")
        if self.objective in ("rwr", "awr") and self.head == "vae":
            raise PydanticCustomError("bc_weighted", "head deterministic, gaussian or gmm: a vae has no likelihood")
        if self.normalization_mapping.get(FeatureType.ACTION) is not NormalizationMode.MIN_MAX:
            raise PydanticCustomError("bc_actions", "MIN_MAX for ACTION: heads predict from -1 to 1")
        return self

    @property
    def chosen_head(self) -> Head:
        """The head, also where the objective chooses it."""
        return self.head or ("vae" if self.objective == "bcq" else "deterministic")

    @property
    def learned_steps(self) -> Sequence[int]:
        """Frames, relative to the present one, whose actions the network predicts while learning."""
        return range(1)

    @property
    def window(self) -> Sequence[int]:
        """Frames, relative to the present one, that the network sees while learning."""
        return range(1 - self.n_obs_steps, 1)

    @property
    def observation_delta_indices(self) -> Sequence[int] | None:
        """The window, and with bcq the observation after it."""
        seen = range(self.window[0], self.window[-1] + 1 + (self.objective == "bcq"))
        return seen if len(seen) > 1 else None

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """Those of `learned_steps`."""
        return self.learned_steps

    @property
    def reward_delta_indices(self) -> Sequence[int] | None:
        """Those of the actions, for bcq."""
        return self.learned_steps if self.objective == "bcq" else None

    @property
    def return_discount(self) -> float | None:
        """See `PreTrainedConfig.return_discount`: rwr and awr learn from returns."""
        return self.discount if self.objective in ("rwr", "awr") else None

    def optimizer_preset(self) -> Mapping[str, Any]:
        """Adam, gradients clipped to a norm of 10."""
        return {"type": "adam", "lr": self.optimizer_lr, "grad_clip_norm": 10.0}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        others = [key for key, each in self.input_features.items() if each.type not in _SEEN]
        if not self.input_features or self.action_feature is None or others:
            raise FeatureMismatchError(
                f"{self.type} has the inputs {list(self.input_features)} and the outputs {list(self.output_features)}",
                keys=others or list(self.input_features),
                expected="states, environment states and pictures as inputs; 'action' as output",
            )


_SEEN = {FeatureType.STATE, FeatureType.ENV, FeatureType.VISUAL}


class BCMLPConfig(BCConfig):
    """BC with an MLP: acts on what it sees now."""

    target: ClassVar[str] = "lerobot.bc.policy:BCMLPPolicy"

    type: str = "bc_mlp"
    hidden_dims: tuple[int, ...] = Field(default=(1024, 1024), min_length=1, description="Hidden widths.")

    @model_validator(mode="after")
    def _sees_the_present(self) -> Self:
        if self.n_obs_steps != 1:
            raise PydanticCustomError("bc_present", "n_obs_steps = 1: an MLP remembers nothing")
        return self


class BCRNNConfig(BCConfig):
    """BC with an RNN: remembers what it has seen, and begins anew every n_obs_steps."""

    target: ClassVar[str] = "lerobot.bc.policy:BCPolicy"

    type: str = "bc_rnn"
    n_obs_steps: int = Field(default=10, ge=1, description="Steps of a sequence, after which it begins anew.")
    cell: Literal["lstm", "gru"] = Field(default="lstm", description="Kind of RNN.")
    rnn_dim: int = Field(default=400, gt=0, description="Width of its state.")
    rnn_layers: int = Field(default=2, gt=0, description="Layers.")
    hidden_dims: tuple[int, ...] = Field(default=(), description="Hidden widths of an MLP behind it.")

    @property
    def learned_steps(self) -> Sequence[int]:
        """All steps of a sequence."""
        return self.window

    @property
    def window(self) -> Sequence[int]:
        """A sequence, from the present frame on."""
        return range(self.n_obs_steps)


class BCTransformerConfig(BCConfig):
    """BC with a Transformer: looks back on the last observations."""

    target: ClassVar[str] = "lerobot.bc.policy:BCPolicy"

    type: str = "bc_transformer"
    n_obs_steps: int = Field(default=10, ge=1, description="Observations it looks at, the newest included.")
    width: int = Field(default=512, gt=0, description="Width of a token.")
    layers: int = Field(default=6, gt=0, description="Layers.")
    heads: int = Field(default=8, gt=0, description="Heads of attention.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout.")
    supervise_all_steps: bool = Field(default=False, description="Learn from all actions of a window, not the last.")

    @model_validator(mode="after")
    def _width_divides(self) -> Self:
        if self.width % self.heads:
            raise PydanticCustomError("bc_width", "a width that is a multiple of heads")
        return self

    @property
    def learned_steps(self) -> Sequence[int]:
        """The newest step, or the whole window."""
        return self.window if self.supervise_all_steps else range(1)
