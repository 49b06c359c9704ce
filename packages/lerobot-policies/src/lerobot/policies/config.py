"""The fields every policy has, as they stand first in `config.json`."""

import inspect
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from lerobot.core.config.base import PathText, PolicyConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import (
    ACTION,
    OBSERVATION_STATE,
    REWARD,
    FeatureType,
    NormalizationMode,
    PolicyFeature,
    PolicyFeatures,
    split,
)


class PreTrainedConfig(PolicyConfig):
    """Base of policy configurations, and the choice of one: `--policy.type=act` or `--policy.path=FOLDER`.

    A policy's class adds its own fields and says in `target` where the policy is.
    """

    from_path: ClassVar[str] = "lerobot.policies.checkpoint.files:saved_fields"
    acts: ClassVar[str] = "lerobot.policies.player:load_player"

    processors: ClassVar[str] = "lerobot.policies.processing.pipelines:default_processors"
    """Function that makes the pre- and post-processor, `"package.module:function"`; called with the configuration
    and the dataset's statistics."""

    resizes_images: ClassVar[bool] = False
    """The policy brings images to its own size, so images of any size fit."""

    scaled_by: ClassVar[tuple[str, str]] = ("normalizer_processor", "unnormalizer_processor")
    """Registered names of the steps that scale by statistics, before the policy and behind it."""

    in_steps: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Fields that steps of the pre-processor have too, each as `step.setting`: what the policy and they agree on. A
    tokenizer that such a step keeps beside a checkpoint is found there by the policy."""

    published_order: ClassVar[Sequence[str]] = ()
    """Fields in the order of published files, for classes whose base declares some of them; behind all others."""

    n_obs_steps: int = Field(default=1, ge=1, description="Observations handed to the policy, the newest included.")
    input_features: PolicyFeatures = Field(
        default={}, description="Inputs by key, cameras in this order; empty: those of the dataset."
    )
    output_features: PolicyFeatures = Field(default={}, description="Outputs by key; empty: those of the dataset.")
    device: str | None = Field(default=None, description="cuda, cuda:1, mps, xpu or cpu; null: the best there is.")
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        default=None,
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: value is None,
        description="Type of the weights in memory; null: the one the policy declares.",
    )
    use_amp: bool = Field(default=False, description="Compute in mixed precision.")
    acceleration: Literal["auto", "off"] = Field(
        default="auto",
        # The peer refuses every field that it does not know.
        exclude_if=lambda value: value == "auto",
        description="auto: layers that are faster on CPUs, rounding differently; off: torch's own.",
    )
    use_peft: bool = Field(default=False, description="The weights are an adapter of a base policy.")
    push_to_hub: bool = Field(default=True, description="Upload the trained policy to the Hub.")
    repo_id: str | None = Field(default=None, description="Repository on the Hub, 'owner/name'.")
    private: bool | None = Field(default=None, description="Make the repository private.")
    tags: list[str] | None = Field(default=None, description="Tags of the repository.")
    license: str | None = Field(default=None, description="Licence of the weights.")
    pretrained_path: PathText | None = Field(
        default=None, description="Folder or Hub repository whose weights to start from; null: from scratch."
    )
    pretrained_revision: str | None = Field(default=None, description="Branch, tag or commit of that repository.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={}, description="How each type of feature is scaled; types that are absent are left alone."
    )

    @model_serializer(mode="wrap")
    def _in_published_order(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`normalization_mapping` stands where the policy's class declares it, as in published files."""
        values: dict[str, Any] = dump(self)
        shared = PreTrainedConfig.model_fields.keys() - {"normalization_mapping"}
        ancestry = type(self).__mro__
        for ancestor in reversed(ancestry[: ancestry.index(PreTrainedConfig)]):
            for name in inspect.get_annotations(ancestor):
                if name in values and name not in shared:
                    values[name] = values.pop(name)
        return values | {name: values.pop(name) for name in self.published_order if name in values}

    # --- what learning needs -----------------------------------------------------------------------------------------

    @property
    def observation_delta_indices(self) -> Sequence[int] | None:
        """Frames, relative to the present one, an observation consists of; None for the present one without an axis."""
        return None

    @property
    def action_delta_indices(self) -> Sequence[int] | None:
        """Frames, relative to the present one, whose actions are learned."""
        return None

    @property
    def reward_delta_indices(self) -> Sequence[int] | None:
        """Frames whose rewards are learned from."""
        return None

    @property
    def return_discount(self) -> float | None:
        """Worth of a reward one step later, in the returns (`return_to_go`) of the actions that are learned from.

        None for a policy that learns from no returns.
        """
        return None

    @property
    def unlearned_last_frames(self) -> int:
        """Frames at the end of each episode that no training example begins at."""
        return 0

    @property
    def vocabulary(self) -> int | None:
        """Tokens the policy's language model knows; None for a policy that reads no words."""
        return None

    @property
    def cast_dtype(self) -> str | None:
        """Type that all weights are brought to; None for those that the networks declare."""
        return self.dtype

    @property
    def executed_steps(self) -> int:
        """Actions executed of a chunk before the next one is predicted."""
        return 1

    @property
    def action_choices(self) -> int:
        """Numbers at the end of an action that are choices, which its feature does not count and nothing scales."""
        return 0

    @property
    def origin(self) -> str | None:
        """See `PolicyConfig.origin`."""
        return self.pretrained_path

    def optimizer_preset(self) -> Mapping[str, Any]:
        """The optimizer this policy is trained with, as its section of a training configuration."""
        return {"type": "adamw"}

    def scheduler_preset(self) -> Mapping[str, Any] | None:
        """The learning rate schedule, as its section of a training configuration; None for a constant rate."""
        return None

    # --- views of the features ---------------------------------------------------------------------------------------

    @property
    def robot_state_feature(self) -> PolicyFeature | None:
        """The robot's own state: `observation.state`."""
        feature = self.input_features.get(OBSERVATION_STATE)
        return feature if feature is not None and feature.type is FeatureType.STATE else None

    @property
    def env_state_feature(self) -> tuple[str, PolicyFeature] | None:
        """Key and feature of the environment's state, the first of its type."""
        return next(((key, each) for key, each in self.input_features.items() if each.type is FeatureType.ENV), None)

    @property
    def image_features(self) -> PolicyFeatures:
        """Images, in the order of the inputs."""
        return {key: each for key, each in self.input_features.items() if each.type is FeatureType.VISUAL}

    @property
    def action_feature(self) -> PolicyFeature | None:
        """The action: `action` among the outputs."""
        feature = self.output_features.get(ACTION)
        return feature if feature is not None and feature.type is FeatureType.ACTION else None

    @property
    def norm_map(self) -> dict[FeatureType, NormalizationMode]:
        """How each type of feature is normalised; types that are absent are left alone."""
        return self.normalization_mapping

    def scaling_overrides(self, stats: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give what saved processors are to have instead to scale by other statistics, before and behind the policy.

        Args:
            stats: statistics by feature and name.
        """
        behind = {"stats": stats, "features": self.output_features, "norm_map": self.norm_map}
        before = {**behind, "features": {**self.input_features, **self.output_features}}
        return {self.scaled_by[0]: before}, {self.scaled_by[1]: behind}

    def with_features(self, provided: PolicyFeatures) -> Self:
        """Take outputs, and inputs unless they are already chosen, from what a dataset or environment provides.

        Args:
            provided: its features.

        Returns:
            A new configuration.
        """
        inputs, outputs = split(provided)
        return self.model_copy(update={"input_features": self.input_features or inputs, "output_features": outputs})

    def needed_of(self, provided: PolicyFeatures) -> PolicyFeatures:
        """Give the inputs and outputs that a source must have: all, unless the policy can do without some.

        Args:
            provided: what the source has.
        """
        del provided
        return {**self.input_features, **self.output_features}

    def check_columns(self, columns: Collection[str], source: str) -> None:
        """Refuse a dataset that has no rewards, if they are learned from.

        Args:
            columns: keys of the dataset, as the policy calls them.
            source: what the dataset is, for messages.

        Raises:
            FeatureMismatchError: it has none.
        """
        rewarded = self.reward_delta_indices is not None or self.return_discount is not None
        if rewarded and REWARD not in columns:
            raise FeatureMismatchError(
                f"{source} has no {REWARD!r}, and policy {self.type!r} learns from rewards",
                keys=[REWARD],
                expected=f"a column {REWARD}, the reward for the action of each frame",
                hint="Add it: lerobot edit-dataset --operation.type=add_feature --operation.name=next.reward "
                "--operation.values=REWARDS.npy",
            )

    def validate_features(self) -> None:
        """Refuse features that the networks do not take, before anything is built; here, numbers that are no vector.

        Raises:
            FeatureMismatchError: there is one; names it.
        """
        numbers = {FeatureType.STATE, FeatureType.ENV, FeatureType.ACTION}
        for key, feature in {**self.input_features, **self.output_features}.items():
            if feature.type in numbers and len(feature.shape) != 1:
                raise FeatureMismatchError(
                    f"{key} has the shape {feature.shape}, and policy {self.type!r} takes vectors",
                    keys=[key],
                    expected=f"{key} of one axis, such as {(math.prod(feature.shape),)}",
                )
