"""Configuration of the policy that HIL-SERL trains. Light: it imports no array library."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel, NoEffect
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import ACTION, FeatureType, NormalizationMode, PolicyFeature, PolicyFeatures

CONVOLUTIONS = ((7, 2), (5, 2), (3, 2), (3, 2))
"""Size and stride of each convolution of the small image encoder."""
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


class CriticNetworkConfig(ConfigModel):
    """Layers of a critic."""

    hidden_dims: list[int] = Field(default=[256, 256], min_length=1, description="Widths of the hidden layers.")
    activate_final: bool = Field(default=True, description="Normalise and activate the last one too.")
    final_activation: str | None = Field(default=None, description="Activation of the last one; null: SiLU.")


class ActorNetworkConfig(ConfigModel):
    """Layers of the actor."""

    hidden_dims: list[int] = Field(default=[256, 256], min_length=1, description="Widths of the hidden layers.")
    activate_final: bool = Field(default=True, description="Normalise and activate the last one too.")


class GaussianHeadConfig(ConfigModel):
    """The distribution of actions."""

    use_tanh_squash: Annotated[bool, NoEffect()] = Field(default=True, description="Always.")
    std_min: float = Field(default=1e-5, gt=0, description="Smallest variance before the actions are squashed.")
    std_max: float = Field(default=10.0, gt=0, description="Largest variance.")
    init_final: float = Field(default=0.05, gt=0, description="Largest weight of the last layers at the beginning.")


class ActorLearnerConfig(ConfigModel):
    """Where the learner is, where actor and learner are two processes."""

    learner_host: str = Field(default="127.0.0.1", description="Its computer.")
    learner_port: int = Field(default=50051, ge=0, le=65535, description="Its port.")
    policy_parameters_push_frequency: int = Field(default=4, gt=0, description="Seconds between new weights.")
    queue_get_timeout: Annotated[float, NoEffect()] = Field(default=2, description="Not needed.")


class ConcurrencyConfig(ConfigModel):
    """Settings of the peer's own threads and processes."""

    actor: Annotated[str, NoEffect()] = Field(default="threads", description="Not needed.")
    learner: Annotated[str, NoEffect()] = Field(default="threads", description="Not needed.")
    multiprocessing_context: Annotated[str, NoEffect()] = Field(default="spawn", description="Not needed.")


class GaussianActorConfig(PreTrainedConfig):
    """A Gaussian policy that explores, squashed to its range: what SAC trains in HIL-SERL."""

    target: ClassVar[str] = "lerobot.hilserl.policy:GaussianActorPolicy"
    processors: ClassVar[str] = "lerobot.hilserl.processors:gaussian_actor_processors"
    removed_fields: ClassVar[Mapping[str, str]] = {"async_prefetch_size": "0.4.0"}

    type: str = "gaussian_actor"
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.MEAN_STD,
            FeatureType.STATE: NormalizationMode.MIN_MAX,
            FeatureType.ENV: NormalizationMode.MIN_MAX,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled.",
    )
    dataset_stats: dict[str, dict[str, list[Any]]] | None = Field(
        default={
            "observation.image": IMAGENET,
            "observation.state": {"min": [0.0, 0.0], "max": [1.0, 1.0]},
            "action": {"min": [0.0, 0.0, 0.0], "max": [1.0, 1.0, 1.0]},
        },
        description="Statistics by feature, where they shall be others than those of demonstrations and robot.",
    )
    device: str | None = Field(default="cpu", description="cuda, cuda:1, mps, xpu or cpu; null: the best there is.")
    storage_device: Annotated[str, NoEffect()] = Field(default="cpu", description="Experience lies in main memory.")
    vision_encoder_name: str | None = Field(
        default=None, description="Folder or repository of an image encoder of transformers; null: four convolutions."
    )
    freeze_vision_encoder: bool = Field(default=True, description="Leave the image encoder as it begins.")
    image_encoder_hidden_dim: int = Field(default=32, gt=0, description="Channels of the four convolutions.")
    shared_encoder: bool = Field(default=True, description="Actor and critics see through one encoder.")
    num_discrete_actions: int | None = Field(
        default=None, ge=2, description="Choices of the last number of an action, such as 3 of a gripper; null: none."
    )
    image_embedding_pooling_dim: int = Field(default=8, gt=0, description="Learned places per channel of a picture.")
    state_encoder_hidden_dim: Annotated[int, NoEffect()] = Field(default=256, description="Not used.")
    latent_dim: int = Field(default=256, gt=0, description="Numbers that each input is described by.")
    online_steps: int = Field(default=1_000_000, gt=0, description="Actions of a run; see --online.steps.")
    online_buffer_capacity: int = Field(default=100_000, gt=0, description="See --online.capacity.")
    offline_buffer_capacity: int = Field(default=100_000, gt=0, description="See --online.offline_capacity.")
    async_prefetch: Annotated[bool, NoEffect()] = Field(default=False, description="Not needed.")
    online_step_before_learning: int = Field(default=100, ge=0, description="See --online.warmup_steps.")
    actor_learner_config: ActorLearnerConfig = Field(
        default_factory=ActorLearnerConfig, description="Where the learner is."
    )
    concurrency: ConcurrencyConfig = Field(default_factory=ConcurrencyConfig, description="Not needed.")
    actor_network_kwargs: ActorNetworkConfig = Field(
        default_factory=ActorNetworkConfig, description="Layers of the actor."
    )
    policy_kwargs: GaussianHeadConfig = Field(
        default_factory=GaussianHeadConfig, description="The distribution of actions."
    )
    discrete_critic_network_kwargs: CriticNetworkConfig = Field(
        default_factory=CriticNetworkConfig, description="Layers of the critic that makes the choices."
    )
    relative_actions: bool = Field(
        default=False,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: not value,
        description="Actions are how far each joint goes from where it is; dataset_stats says how far at most.",
    )

    @model_validator(mode="after")
    def _variances_fit(self) -> Self:
        head = self.policy_kwargs
        if head.std_min > head.std_max:
            raise PydanticCustomError("std", "a std_min of at most std_max, {most}", {"most": head.std_max})
        return self

    @property
    def action_choices(self) -> int:
        """See `PreTrainedConfig.action_choices`."""
        return 0 if self.num_discrete_actions is None else 1

    def with_features(self, provided: PolicyFeatures) -> Self:
        """See `PreTrainedConfig.with_features`; the choice is no part of the action's feature."""
        made = super().with_features(provided)
        if not self.action_choices or ACTION not in made.output_features:
            return made
        whole = made.output_features[ACTION].shape[0]
        action = PolicyFeature(type=FeatureType.ACTION, shape=(whole - self.action_choices,))
        return made.model_copy(update={"output_features": {**made.output_features, ACTION: action}})

    def needed_of(self, provided: PolicyFeatures) -> PolicyFeatures:
        """See `PreTrainedConfig.needed_of`: an action with its choice."""
        needed = super().needed_of(provided)
        whole = self.output_features[ACTION].shape[0] + self.action_choices
        return {**needed, ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(whole,))}

    def validate_features(self) -> None:
        """See `PreTrainedConfig.validate_features`."""
        super().validate_features()
        state = self.robot_state_feature
        if (state is None and not self.image_features) or self.action_feature is None:
            raise FeatureMismatchError(
                f"gaussian_actor has the inputs {list(self.input_features)} and outputs {list(self.output_features)}",
                keys=list(self.input_features),
                expected="'observation.state' or a picture as inputs, 'action' as output",
            )
        shapes = {feature.shape for feature in self.image_features.values()}
        if len(shapes) > 1:
            raise FeatureMismatchError(
                f"pictures have the shapes {sorted(shapes)}", keys=list(self.image_features), expected="one shape"
            )
        if self.vision_encoder_name is None and any(min(self.seen(shape)) < 1 for shape in shapes):
            raise FeatureMismatchError(
                f"pictures have the shape {shapes.pop()}", keys=list(self.image_features), expected="at least 39 pixels"
            )

    @staticmethod
    def seen(shape: Sequence[int]) -> tuple[int, int]:
        """Places of the last convolution's map, of a picture `(C, H, W)`."""
        height, width = shape[1], shape[2]
        for size, stride in CONVOLUTIONS:
            height, width = (height - size) // stride + 1, (width - size) // stride + 1
        return height, width

    def optimizer_preset(self) -> Mapping[str, Any]:
        """Adam, for imitation; SAC has optimizers of its own."""
        return {"type": "adam", "lr": 3e-4}

    # --- learning from reward ----------------------------------------------------------------------------------------

    def algorithm_preset(self) -> Mapping[str, Any]:
        """See `LearnsFromReward.algorithm_preset`."""
        return {"type": "sac"}

    def online_preset(self) -> Mapping[str, Any]:
        """See `LearnsFromReward.online_preset`."""
        return {
            "steps": self.online_steps,
            "warmup_steps": self.online_step_before_learning,
            "capacity": self.online_buffer_capacity,
            "offline_capacity": self.offline_buffer_capacity,
        }

    def learner_preset(self) -> Mapping[str, Any]:
        """See `LearnsFromReward.learner_preset`."""
        place = self.actor_learner_config
        return {
            "host": place.learner_host,
            "port": place.learner_port,
            "push_s": place.policy_parameters_push_frequency,
        }
