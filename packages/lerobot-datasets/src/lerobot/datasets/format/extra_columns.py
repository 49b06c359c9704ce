"""Optional columns of a recording: when each value was measured, and the action before the safety gate.

Both are ordinary features, so every reader sees them and none needs them. Their names begin with neither
`observation` nor `action`, so that no policy takes them for an input or a target by itself.
"""

from collections.abc import Mapping
from typing import Any

from lerobot.datasets.format.features import FeatureMap, normalize_features

REQUESTED_ACTION = "requested_action"
"""The action as its source gave it; `action` is what was sent to the robot."""

_CAPTURE_TIME = "capture_time."


def capture_time_key(key: str) -> str:
    """Column with the capture times of a feature."""
    return f"{_CAPTURE_TIME}{key}"


def extra_features(
    features: Mapping[str, Any], *, capture_times: bool = True, requested_action: bool = True
) -> FeatureMap:
    """Declarations of the optional columns for a dataset's features.

    Args:
        features: the user's features.
        capture_times: a float64 column per feature, seconds since the begin of the episode on the monotonic clock.
        requested_action: a column like `action`, where there is one.
    """
    declared = normalize_features(features)
    extra: FeatureMap = {}
    if capture_times:
        extra = {capture_time_key(key): {"dtype": "float64", "shape": (1,), "names": ["seconds"]} for key in declared}
    if requested_action and "action" in declared:
        extra[REQUESTED_ACTION] = dict(declared["action"])
    return extra


def capture_time_values(times_s: Mapping[str, float], begin_s: float) -> dict[str, float]:
    """Values of the capture-time columns for one frame.

    Args:
        times_s: per feature when it was measured, on the monotonic clock.
        begin_s: begin of the episode on the same clock; small differences survive readers that use float32.
    """
    return {capture_time_key(key): time_s - begin_s for key, time_s in times_s.items()}
