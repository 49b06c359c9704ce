"""Whether values are what their features say."""

import math
from typing import Any

from lerobot.core.types import Features, FeatureSpec

_SCALARS: dict[str, tuple[type, ...]] = {"bool": (bool,), "string": (str,)}


def mismatch(value: Any, feature: FeatureSpec) -> str:
    """Say how a value differs from its feature.

    Args:
        value: a number, text, or an array with `shape` and `dtype`.
        feature: what it should be.

    Returns:
        One line; empty if it fits.
    """
    if not feature.is_scalar:
        shape, dtype = tuple(getattr(value, "shape", ())), str(getattr(value, "dtype", type(value).__name__))
        if shape != feature.shape or dtype != feature.dtype:
            return f"{dtype}{shape} instead of {feature.dtype}{feature.shape}"
        return ""
    if feature.dtype in _SCALARS:
        return "" if isinstance(value, _SCALARS[feature.dtype]) else f"{value!r} is no {feature.dtype}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"{value!r} is no number"
    return "" if math.isfinite(number) else f"{number} is not finite"


def mismatches(values: Any, features: Features) -> dict[str, str]:
    """Compare a mapping with its features: missing keys, unknown keys, and values that do not fit."""
    problems = {key: "is missing" for key in features if key not in values}
    problems |= {key: "is not declared in the features" for key in values if key not in features}
    problems |= {key: text for key in features if key in values and (text := mismatch(values[key], features[key]))}
    return problems


def outside(action: Any, features: Features) -> dict[str, float]:
    """Numbers of an action that lie outside their feature's range, by key."""
    limits = {key: feature.range for key, feature in features.items() if feature.range is not None}
    return {
        key: float(action[key])
        for key, (low, high) in limits.items()
        if key in action and not low <= float(action[key]) <= high
    }


def middle_action(features: Features, share: float = 0.5) -> dict[str, float]:
    """An action at `share` of each scalar's range; 0 where there is no range."""
    return {
        key: feature.range[0] + share * (feature.range[1] - feature.range[0]) if feature.range else 0.0
        for key, feature in features.items()
        if feature.is_scalar
    }
