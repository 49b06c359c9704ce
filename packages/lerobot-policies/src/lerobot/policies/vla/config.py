"""The settings that vision-language-action models share. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect
from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import (
    ACTION,
    OBSERVATION_STATE,
    FeatureType,
    NormalizationMode,
    PolicyFeature,
    PolicyFeatures,
)

EMPTY_CAMERA = "observation.images.empty_camera_{}"


class VLAConfig(PreTrainedConfig):
    """A policy that sees, reads its task, and predicts a chunk of actions with a language model's knowledge.

    States and actions are filled with zeros up to one width, so that one network serves every robot.
    """

    resizes_images: ClassVar[bool] = True

    chunk_size: int = Field(default=50, gt=0, description="Actions predicted at once.")
    n_action_steps: int = Field(default=50, gt=0, description="Actions executed before predicting again.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.MEAN_STD,
            FeatureType.ACTION: NormalizationMode.MEAN_STD,
        },
        description="How each type of feature is scaled.",
    )
    max_state_dim: int = Field(default=32, gt=0, description="Width that states are filled up to.")
    max_action_dim: int = Field(default=32, gt=0, description="Width that actions are filled up to.")
    empty_cameras: int = Field(
        default=0,
        ge=0,
        description="Cameras that may be missing; the policy sees black ones and does not look at them.",
    )
    tokenizer_max_length: int = Field(default=48, gt=0, description="Longest task, tokens; what is longer is cut.")

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.9, 0.95), description="Decays of AdamW's two averages.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to AdamW's denominators.")
    optimizer_weight_decay: float = Field(default=0.01, ge=0, description="Weight decay.")
    optimizer_grad_clip_norm: float = Field(default=1.0, ge=0, description="Largest norm of gradients; 0: any.")
    scheduler_warmup_steps: int = Field(default=1000, ge=0, description="Batches the learning rate rises for.")
    scheduler_decay_steps: int = Field(default=30_000, gt=0, description="Batches until it is at its lowest.")
    scheduler_decay_lr: float = Field(default=2.5e-6, ge=0, description="Its lowest value.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        """Numbers of observations and actions must be what the method allows."""
        if self.n_obs_steps != 1:
            raise PydanticCustomError("vla_observations", "n_obs_steps = 1: one observation is looked at")
        if self.n_action_steps > self.chunk_size:
            raise PydanticCustomError(
                "vla_steps", "n_action_steps of at most the chunk_size, {size}", {"size": self.chunk_size}
            )
        return self

    @model_validator(mode="after")
    def _with_empty_cameras(self) -> Self:
        """Empty cameras are inputs like others, in files too."""
        if self.input_features:
            # A frozen model has no other way to complete itself.
            object.__setattr__(self, "input_features", self._completed(self.input_features))
        return self

    def _completed(self, inputs: PolicyFeatures) -> PolicyFeatures:
        empty = PolicyFeature(type=FeatureType.VISUAL, shape=(3, *self.empty_camera_size))
        keys = [EMPTY_CAMERA.format(index) for index in range(self.empty_cameras)]
        return {**inputs, **{key: empty for key in keys if key not in inputs}}

    @property
    def empty_camera_size(self) -> tuple[int, int]:
        """Height and width that an empty camera is said to have."""
        return (480, 640)

    def with_features(self, provided: PolicyFeatures) -> Self:
        """See `PreTrainedConfig.with_features`; empty cameras are added."""
        found = super().with_features(provided)
        return found.model_copy(update={"input_features": self._completed(found.input_features)})

    def needed_of(self, provided: PolicyFeatures) -> PolicyFeatures:
        """See `PreTrainedConfig.needed_of`: cameras may be missing, as many as `empty_cameras`."""
        absent = [key for key in self.image_features if key not in provided]
        dispensable = {key for key in absent if key.startswith(EMPTY_CAMERA.format(""))}
        real = [key for key in absent if key not in dispensable]
        if len(absent) < len(self.image_features):
            dispensable |= set(real[: self.empty_cameras])
        return {key: feature for key, feature in super().needed_of(provided).items() if key not in dispensable}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        if self.action_feature is None or not self.image_features:
            raise FeatureMismatchError(
                f"policy {self.type!r} has the inputs {', '.join(self.input_features)} and the outputs "
                f"{', '.join(self.output_features)}",
                keys=list(self.input_features),
                expected="at least one camera as input, 'action' as output",
            )
        if self.reads_state and self.robot_state_feature is None:
            raise FeatureMismatchError(
                f"policy {self.type!r} has the inputs {', '.join(self.input_features)}",
                keys=["observation.state"],
                expected="the robot's state as observation.state",
            )
        for key, field in self.widest.items():
            feature = {**self.input_features, **self.output_features}.get(key)
            if feature is not None and feature.shape[0] > (widest := getattr(self, field)):
                raise FeatureMismatchError(
                    f"{key} has {feature.shape[0]} numbers, and policy {self.type!r} takes {widest}",
                    keys=[key],
                    expected=f"at most {widest}, or a new policy with --policy.{field}={feature.shape[0]}",
                )

    @property
    def reads_state(self) -> bool:
        """Whether the state is needed."""
        return True

    @property
    def widest(self) -> Mapping[str, str]:
        """Fields that say how wide a feature may be, by its key."""
        return {OBSERVATION_STATE: "max_state_dim", ACTION: "max_action_dim"}

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.n_action_steps

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.chunk_size)

    def optimizer_preset(self) -> Mapping[str, Any]:
        """AdamW."""
        return {
            "type": "adamw",
            "lr": self.optimizer_lr,
            "betas": list(self.optimizer_betas),
            "eps": self.optimizer_eps,
            "weight_decay": self.optimizer_weight_decay,
            "grad_clip_norm": self.optimizer_grad_clip_norm,
        }

    def scheduler_preset(self) -> Mapping[str, Any]:
        """Warm-up, then a cosine down to a floor."""
        return {
            "type": "cosine_decay_with_warmup",
            "num_warmup_steps": self.scheduler_warmup_steps,
            "num_decay_steps": self.scheduler_decay_steps,
            "peak_lr": self.optimizer_lr,
            "decay_lr": self.scheduler_decay_lr,
        }


class FlowVLAConfig(VLAConfig):
    """What those have besides whose chunks can be continued, and whose networks compiled."""

    rtc_config: Annotated[RTCConfig | None, NoEffect()] = Field(
        default=None, description="Accepted; whoever runs the policy says it: --inference.type=rtc of rollout."
    )
    compile_model: bool = Field(default=False, description="Compile what is computed again and again.")
    compile_mode: Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"] = Field(
        default="max-autotune", description="How, as torch.compile calls it."
    )
