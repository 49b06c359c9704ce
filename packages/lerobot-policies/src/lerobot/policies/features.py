"""What flows into and out of a policy: the kinds of features, and how they follow from a dataset."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lerobot.core.config.base import ConfigModel
from lerobot.core.errors import FeatureMismatchError

OBSERVATION_STATE = "observation.state"
OBSERVATION_ENVIRONMENT_STATE = "observation.environment_state"
ACTION = "action"
REWARD = "next.reward"
DONE, SUCCESS, TRUNCATED = "next.done", "next.success", "next.truncated"
NOISE = "noise"
"""Random numbers that an exported policy is given, where it draws some itself otherwise."""
RETURN = "return_to_go"
"""Discounted rewards from a frame on to the end of its episode, standardised over the dataset; computed by training."""


class FeatureType(StrEnum):
    """Kinds of features; the mode of normalisation is chosen per kind."""

    STATE = "STATE"
    VISUAL = "VISUAL"
    ENV = "ENV"
    ACTION = "ACTION"
    REWARD = "REWARD"
    LANGUAGE = "LANGUAGE"


class NormalizationMode(StrEnum):
    """How values are scaled; formulas are in `lerobot.policies.processing.normalization`."""

    MIN_MAX = "MIN_MAX"
    MEAN_STD = "MEAN_STD"
    IDENTITY = "IDENTITY"
    QUANTILES = "QUANTILES"
    QUANTILE10 = "QUANTILE10"


class PolicyFeature(ConfigModel):
    """One input or output of a policy."""

    type: FeatureType
    """Kind of feature."""
    shape: tuple[int, ...]
    """Shape of one sample: `(Ds,)`, `(Da,)`, or `(C, H, W)` of an image."""


PolicyFeatures = dict[str, PolicyFeature]
"""Features by key; the order of images is the order of a policy's cameras."""


def features_of_dataset(declared: Mapping[str, Mapping[str, Any]]) -> PolicyFeatures:
    """Say what a policy can get from a dataset.

    Args:
        declared: features as in `info.json`: each with `dtype`, `shape` and `names`.

    Returns:
        Images as `(C, H, W)`, `observation.*` and `action*` columns; other columns are no policy features.

    Raises:
        FeatureMismatchError: an image does not have three axes.
    """
    features: PolicyFeatures = {}
    for key, feature in declared.items():
        shape = tuple(int(size) for size in feature["shape"])
        if (kind := _kind(key, str(feature["dtype"]))) is None:
            continue
        if kind is FeatureType.VISUAL:
            shape = _channels_first(key, shape, feature.get("names"))
        features[key] = PolicyFeature(type=kind, shape=shape)
    return features


def _kind(key: str, dtype: str) -> FeatureType | None:
    if dtype in {"image", "video"}:
        return FeatureType.VISUAL
    if key == OBSERVATION_ENVIRONMENT_STATE:
        return FeatureType.ENV
    if key.startswith("observation"):
        return FeatureType.STATE
    return FeatureType.ACTION if key.startswith("action") else None


def _channels_first(key: str, shape: tuple[int, ...], names: Any) -> tuple[int, ...]:
    if len(shape) != 3:
        raise FeatureMismatchError(
            f"image {key!r} has the shape {shape}", keys=[key], expected="(height, width, channels)"
        )
    last = names[2] if isinstance(names, list | tuple) and len(names) == 3 else ""
    # Datasets made before the names were settled on say "channel".
    return (shape[2], *shape[:2]) if last in {"channel", "channels"} else shape


def split(features: PolicyFeatures) -> tuple[PolicyFeatures, PolicyFeatures]:
    """Divide features into a policy's inputs and outputs (the actions)."""
    outputs = {key: feature for key, feature in features.items() if feature.type is FeatureType.ACTION}
    return {key: feature for key, feature in features.items() if key not in outputs}, outputs


def camera_use(inputs: PolicyFeatures, provided: PolicyFeatures) -> str:
    """Say which of the cameras there are a policy looks at, and which not; empty where it looks at all.

    Args:
        inputs: of the policy.
        provided: what a dataset, robot or environment provides, by the policy's keys.
    """
    there = [key for key, feature in provided.items() if feature.type is FeatureType.VISUAL]
    used, unused = [key for key in there if key in inputs], [key for key in there if key not in inputs]
    return f"cameras used: {', '.join(used) or 'none'}; not used: {', '.join(unused)}" if unused else ""


def check_provided(needed: PolicyFeatures, provided: PolicyFeatures, source: str, *, resized: bool = False) -> None:
    """Check that a source provides everything a policy needs, in the right shape; it may provide more.

    Args:
        needed: features of the policy.
        provided: features of the source.
        source: what the source is, for messages.
        resized: the policy brings images to its own size, so that only their channels must agree.

    Raises:
        FeatureMismatchError: a feature is missing or has another shape; names each.
    """
    problems: dict[str, str] = {}
    for key, feature in needed.items():
        if (found := provided.get(key)) is None:
            problems[key] = f"{key} is missing"
        elif not _fits(feature, found, resized):
            problems[key] = f"{key} has the shape {found.shape} instead of {feature.shape}"
    if problems:
        raise FeatureMismatchError(
            f"{source} does not provide what the policy needs: {'; '.join(problems.values())}",
            keys=list(problems),
            expected=f"{', '.join(needed)}; {source} has {', '.join(provided) or 'none'}",
            hint="Rename what has another name: --rename_map='{observation.images.NAME: observation.images.OTHER}'",
        )


def _fits(needed: PolicyFeature, found: PolicyFeature, resized: bool) -> bool:
    if resized and needed.type is FeatureType.VISUAL:
        return found.shape[0] == needed.shape[0]
    return found.shape == needed.shape


def check_windows(batch: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Check that a batch to learn from has the steps in time that a policy needs.

    Args:
        batch: tensors by key.
        wanted: shapes behind the batch axis, time first.

    Raises:
        FeatureMismatchError: an entry is missing or has another shape.
    """
    for key, shape in wanted.items():
        found = tuple(batch[key].shape[1:]) if key in batch else None
        if found != shape:
            raise FeatureMismatchError(
                f"the batch has {'no ' if found is None else ''}{key!r}{'' if found is None else f' of {found}'}",
                keys=[key],
                expected=f"(B, {', '.join(map(str, shape))})",
                hint="Let the dataset give windows: delta_timestamps of the policy's delta indices.",
            )
