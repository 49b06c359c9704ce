"""Configuration of QC-FQL. Light: it imports no array library."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import DONE, SUCCESS, FeatureType, NormalizationMode
from lerobot.rl.config import AlgorithmConfig

SMALLEST_PICTURE = 8
"""Pixels along a side of which the encoder's three poolings leave one."""


class QCFQLConfig(PreTrainedConfig):
    """QC-FQL: learns values of chunks of actions, and to act well while it stays near the recordings."""

    target: ClassVar[str] = "lerobot.qcfql.policy:QCFQLPolicy"

    type: str = "qcfql"
    chunk_size: int = Field(
        default=5, gt=0, description="Actions that are judged, chosen and executed as one; 1: plain FQL."
    )
    actor: Literal["one_step", "best_of_n"] = Field(
        default="one_step",
        description="one_step: a network that gives a chunk at once, drawn to good ones (QC-FQL); best_of_n: the best "
        "of several chunks that the behaviour proposes (QC).",
    )
    n_samples: int = Field(
        default=32, gt=0, description="Chunks that best_of_n chooses from; 1: the behaviour alone (BC)."
    )
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={
            FeatureType.VISUAL: NormalizationMode.IDENTITY,
            FeatureType.STATE: NormalizationMode.MEAN_STD,
            FeatureType.ENV: NormalizationMode.MEAN_STD,
            FeatureType.ACTION: NormalizationMode.MIN_MAX,
        },
        description="How each type of feature is scaled; actions must be MIN_MAX.",
    )

    hidden_dims: tuple[int, ...] = Field(
        default=(512, 512, 512, 512), min_length=1, description="Widths of the hidden layers of every network."
    )
    image_channels: tuple[int, ...] = Field(
        default=(16, 32, 32), min_length=3, max_length=3, description="Channels of the encoder's three stages."
    )
    image_dim: int = Field(default=512, gt=0, description="Numbers that a picture is described by.")
    flow_steps: int = Field(default=10, gt=0, description="Steps from noise to a chunk of the behaviour.")
    num_critics: int = Field(default=2, gt=0, description="Networks that judge chunks.")
    q_agg: Literal["mean", "min"] = Field(default="mean", description="How their judgements become one.")

    discount: float = Field(default=0.99, gt=0, le=1, description="Worth of a reward one step later.")
    reward_offset: float = Field(
        default=0.0, description="Added to every reward; -1 where they are 1 at the end and 0 before, as in the paper."
    )
    tau: float = Field(
        default=0.005, gt=0, le=1, description="How far the slow critics follow with each step of the optimizer."
    )
    alpha: float = Field(
        default=100.0, ge=0, description="How strongly one_step is held to the behaviour; depends on the rewards' size."
    )
    optimizer_lr: float = Field(default=3e-4, gt=0, description="Learning rate.")

    @model_validator(mode="after")
    def _actions_are_bounded(self) -> Self:
        if self.normalization_mapping.get(FeatureType.ACTION) is not NormalizationMode.MIN_MAX:
            raise PydanticCustomError("qcfql_actions", "MIN_MAX for ACTION: chunks are cut off at -1 and 1")
        return self

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`: a chunk is judged as a whole, so it is executed as one."""
        return self.chunk_size

    @property
    def observation_delta_indices(self) -> Sequence[int]:
        """The present observation, and the one after the chunk."""
        return (0, self.chunk_size)

    @property
    def action_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.chunk_size)

    @property
    def reward_delta_indices(self) -> Sequence[int]:
        """The chunk."""
        return range(self.chunk_size)

    def optimizer_preset(self) -> Mapping[str, Any]:
        """Adam, gradients as they are."""
        return {"type": "adam", "lr": self.optimizer_lr, "grad_clip_norm": 0.0}

    def algorithm_preset(self) -> Mapping[str, Any]:
        """See `lerobot.rl.config.LearnsFromReward.algorithm_preset`."""
        return {"type": self.type, "chunk_size": self.chunk_size, "lr": self.optimizer_lr}

    def online_preset(self) -> Mapping[str, Any]:
        """See `lerobot.rl.config.LearnsFromReward.online_preset`: it acts as it is for a while, as in the paper."""
        return {"warmup_steps": 5000}

    def learner_preset(self) -> Mapping[str, Any]:
        """See `lerobot.rl.config.LearnsFromReward.learner_preset`: nothing of its own."""
        return {}

    def check_columns(self, columns: Collection[str], source: str) -> None:
        """Refuse a dataset that does not say what came of each action; see `PreTrainedConfig.check_columns`."""
        super().check_columns(columns, source)
        if not {SUCCESS, DONE} & set(columns):
            raise FeatureMismatchError(
                f"{source} has neither {SUCCESS!r} nor {DONE!r}",
                keys=[SUCCESS, DONE],
                expected=f"a column {SUCCESS} or {DONE}: whether anything could follow an action",
            )

    def validate_features(self) -> None:
        """Refuse features that do not fit; see `PreTrainedConfig.validate_features`."""
        super().validate_features()
        if self.action_feature is None or len(self.output_features) != 1:
            raise FeatureMismatchError(
                f"qcfql has the outputs {list(self.output_features)}",
                keys=list(self.output_features),
                expected="'action' as the only output",
            )
        for key, feature in self.image_features.items():
            if min(feature.shape[1:]) < SMALLEST_PICTURE:
                raise FeatureMismatchError(
                    f"{key} has the shape {feature.shape}",
                    keys=[key],
                    expected=f"pictures of at least {SMALLEST_PICTURE} x {SMALLEST_PICTURE} pixels",
                )


class QCFQLAlgorithmConfig(AlgorithmConfig):
    """QC-FQL's own losses, from what it experiences."""

    target: ClassVar[str] = "lerobot.qcfql.algorithm:QCFQLAlgorithm"

    type: str = "qcfql"
    chunk_size: int = Field(default=5, gt=0, description="Actions of a chunk; as the policy has it.")
    lr: float = Field(default=3e-4, gt=0, description="Learning rate.")

    @property
    def steps_per_window(self) -> int:
        """See `AlgorithmConfig.steps_per_window`."""
        return self.chunk_size
