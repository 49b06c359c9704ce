"""Configuration of TD-MPC. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import OBSERVATION_STATE, FeatureType, NormalizationMode

CONVOLUTIONS = ((7, 2), (5, 2), (3, 2), (3, 2))
"""Size and stride of each convolution that pictures go through."""


class TDMPCConfig(PreTrainedConfig):
    """TD-MPC: learns a model of the world from recordings with rewards, and plans with it."""

    target: ClassVar[str] = "lerobot.tdmpc.policy:TDMPCPolicy"

    type: str = "tdmpc"
    n_obs_steps: int = Field(default=1, ge=1, description="Observations handed to the policy; only 1.")
    n_action_repeats: int = Field(default=2, gt=0, description="Ticks for which the first planned action is executed.")
    horizon: int = Field(default=5, gt=0, description="Steps that are planned, and learned from, at once.")
    n_action_steps: int = Field(default=1, gt=0, description="Actions of a plan that are executed, without repeats.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.IDENTITY,
            FeatureType.ENV: NormalizationMode.IDENTITY,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled; actions must be MIN_MAX.",
    )

    image_encoder_hidden_dim: int = Field(default=32, gt=0, description="Channels of the convolutions.")
    state_encoder_hidden_dim: int = Field(default=256, gt=0, description="Hidden width on the way from states.")
    latent_dim: int = Field(default=50, gt=0, description="Numbers the world's state is described by.")
    q_ensemble_size: int = Field(default=5, gt=0, description="Networks that judge actions.")
    mlp_dim: int = Field(default=512, gt=0, description="Hidden width of all that follows.")
    discount: float = Field(default=0.9, gt=0, le=1, description="Worth of a reward one step later.")

    use_mpc: bool = Field(default=True, description="Plan; otherwise the learned policy alone acts.")
    cem_iterations: int = Field(default=6, gt=0, description="Times the distribution of plans is narrowed.")
    max_std: float = Field(default=2.0, gt=0, description="Deviation of actions it begins with, and never exceeds.")
    min_std: float = Field(default=0.05, ge=0, description="Deviation it keeps, also that of the policy's proposals.")
    n_gaussian_samples: int = Field(default=512, gt=0, description="Plans drawn from the distribution each time.")
    n_pi_samples: int = Field(default=51, ge=0, description="Plans that the learned policy proposes.")
    uncertainty_regularizer_coeff: float = Field(
        default=1.0, ge=0, description="How much it counts against a plan that its judges disagree."
    )
    n_elites: int = Field(default=50, gt=0, description="Best plans, which the distribution follows.")
    elite_weighting_temperature: float = Field(default=0.5, ge=0, description="How much better ones count more.")
    gaussian_mean_momentum: float = Field(default=0.1, ge=0, le=1, description="Share of the mean that is kept.")

    max_random_shift_ratio: float = Field(
        default=0.0476, ge=0, description="Largest shift of pictures while learning, in parts of their size."
    )
    reward_coeff: float = Field(default=0.5, ge=0, description="Weight of the rewards' error in the loss.")
    expectile_weight: float = Field(
        default=0.9, gt=0, lt=1, description="Expectile of actions' values that is the value of a state."
    )
    value_coeff: float = Field(default=0.1, ge=0, description="Weight of the errors of values in the loss.")
    consistency_coeff: float = Field(default=20.0, ge=0, description="Weight of the model's error in the loss.")
    advantage_scaling: float = Field(
        default=3.0, ge=0, description="How much more the policy learns from better actions."
    )
    pi_coeff: float = Field(default=0.5, ge=0, description="Weight of the policy's error in the loss.")
    temporal_decay_coeff: float = Field(default=0.5, gt=0, le=1, description="Weight of a step, of the one before it.")
    target_model_momentum: float = Field(
        default=0.995, ge=0, le=1, description="Share of the slow copy that is kept with each step of the optimizer."
    )

    optimizer_lr: float = Field(default=3e-4, gt=0, description="Learning rate.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        """The numbers of observations and actions must be what the method allows."""
        if self.n_obs_steps != 1:
            raise PydanticCustomError("tdmpc_observations", "n_obs_steps = 1: TD-MPC sees one observation at a time")
        if self.n_action_steps > 1:
            if self.n_action_repeats != 1:
                raise PydanticCustomError("tdmpc_repeats", "n_action_repeats = 1 with n_action_steps above 1")
            if not self.use_mpc:
                raise PydanticCustomError("tdmpc_mpc", "use_mpc with n_action_steps above 1: a policy gives one action")
            if self.n_action_steps > self.horizon:
                raise PydanticCustomError(
                    "tdmpc_steps", "n_action_steps of at most the horizon, {horizon}", {"horizon": self.horizon}
                )
        if self.normalization_mapping.get(FeatureType.ACTION) is not NormalizationMode.MIN_MAX:
            raise PydanticCustomError("tdmpc_actions", "MIN_MAX for ACTION: plans are drawn from [-1, 1]")
        return self

    @model_validator(mode="after")
    def _plans_fit(self) -> Self:
        """There must be as many plans as are chosen, and judges that can disagree."""
        if self.n_elites > (plans := self.n_gaussian_samples + self.n_pi_samples):
            raise PydanticCustomError(
                "tdmpc_elites",
                "n_elites of at most n_gaussian_samples + n_pi_samples = {plans}",
                {"plans": plans},
            )
        if self.min_std > self.max_std:
            raise PydanticCustomError("tdmpc_std", "a min_std of at most max_std, {most}", {"most": self.max_std})
        if self.q_ensemble_size == 1 and self.uncertainty_regularizer_coeff > 0:
            raise PydanticCustomError(
                "tdmpc_judges", "a q_ensemble_size of at least 2 with uncertainty_regularizer_coeff above 0"
            )
        return self

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`."""
        return self.n_action_steps

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The present observation, and those that follow each action."""
        return range(self.horizon + 1)

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The horizon."""
        return range(self.horizon)

    @property
    def reward_delta_indices(self) -> Sequence[int]:
        """The horizon."""
        return range(self.horizon)

    def optimizer_preset(self) -> Mapping[str, Any]:
        """Adam, gradients clipped to a norm of 10."""
        return {"type": "adam", "lr": self.optimizer_lr, "grad_clip_norm": 10.0}

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        env = self.env_state_feature
        known = {OBSERVATION_STATE, *self.image_features, *([env[0]] if env else [])}
        if (
            self.robot_state_feature is None
            or self.action_feature is None
            or len(self.image_features) > 1
            or known != self.input_features.keys()
        ):
            raise FeatureMismatchError(
                f"tdmpc has the inputs {list(self.input_features)} and the outputs {list(self.output_features)}",
                keys=list(self.input_features),
                expected="'observation.state', at most one picture and at most one environment state as inputs; "
                "'action' as output",
            )
        for key, feature in self.image_features.items():
            if feature.shape[1] != feature.shape[2] or self.seen(feature.shape[1]) < 1:
                raise FeatureMismatchError(
                    f"{key} has the shape {feature.shape}", keys=[key], expected="a square picture (C, H, H), H >= 39"
                )

    @staticmethod
    def seen(pixels: int) -> int:
        """Places along each side of the last convolution's map, of a picture of so many pixels; below 1 for none."""
        for size, stride in CONVOLUTIONS:
            pixels = (pixels - size) // stride + 1
        return pixels
