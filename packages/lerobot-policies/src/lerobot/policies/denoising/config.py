"""The settings that policies share which make actions out of noise. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode


class DenoisingConfig(PreTrainedConfig):
    """A policy that makes a horizon of actions out of noise, from the oldest of the last observations on."""

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
    drop_n_last_frames: int | None = Field(
        default=None,
        ge=0,
        description="Frames at the end of each episode that are never drawn while training; null: those from which on "
        "not even the actions executed are all there.",
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

    do_mask_loss_for_padding: bool = Field(
        default=False, description="Leave actions behind the end of an episode out of the loss."
    )

    optimizer_lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    optimizer_betas: tuple[float, float] = Field(default=(0.95, 0.999), description="Decay of the running moments.")
    optimizer_eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    optimizer_weight_decay: float = Field(default=0.0, ge=0, description="Weight decay.")
    scheduler_name: Literal["cosine", "linear", "constant", "constant_with_warmup"] = Field(
        default="cosine", description="Learning rate after the warm-up."
    )
    scheduler_warmup_steps: int = Field(default=0, ge=0, description="Steps of linear warm-up.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        """What is executed must be predicted."""
        unused = self.horizon - self.n_action_steps - self.n_obs_steps + 1
        if unused < 0:
            raise PydanticCustomError(
                "denoising_steps",
                "n_action_steps of at most horizon - n_obs_steps + 1 = {most}",
                {"most": self.n_action_steps + unused},
            )
        if self.num_inference_steps is not None and self.num_inference_steps > self.num_train_timesteps:
            raise PydanticCustomError(
                "denoising_levels",
                "num_inference_steps of at most num_train_timesteps, {most}",
                {"most": self.num_train_timesteps},
            )
        if self.drop_n_last_frames is None:
            # A frozen model has no other way to complete itself.
            object.__setattr__(self, "drop_n_last_frames", unused)
        return self

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The last observations."""
        return range(1 - self.n_obs_steps, 1)

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The horizon, from the oldest observation on."""
        return range(1 - self.n_obs_steps, 1 - self.n_obs_steps + self.horizon)

    @property
    def unlearned_last_frames(self) -> int:
        """See `PreTrainedConfig.unlearned_last_frames`."""
        return self.drop_n_last_frames or 0

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.n_action_steps

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
