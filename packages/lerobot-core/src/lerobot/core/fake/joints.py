"""The joints of the fake arm: names and units of an SO-101."""

from lerobot.core.types import FeatureSpec

RANGES: dict[str, tuple[float, float]] = {
    "shoulder_pan": (-110.0, 110.0),
    "shoulder_lift": (-100.0, 100.0),
    "elbow_flex": (-97.0, 97.0),
    "wrist_flex": (-95.0, 95.0),
    "wrist_roll": (-160.0, 160.0),
    "gripper": (0.0, 100.0),
}
"""Smallest and largest position: degrees from the middle of the range; the gripper in percent of its opening."""

MAX_VELOCITY = 180.0
"""Largest speed of a joint, in degrees (gripper: percent) per second; a loaded hobby servo turns about that fast."""


def joint_features() -> dict[str, FeatureSpec]:
    """Features of the joints, keyed `<joint>.pos`, for observations and actions alike."""
    return {
        f"{joint}.pos": FeatureSpec(
            unit="percent" if joint == "gripper" else "deg", range=limits, max_velocity=MAX_VELOCITY
        )
        for joint, limits in RANGES.items()
    }


def middle(key: str) -> float:
    """Centre of a joint's range; `key` is `<joint>.pos`."""
    low, high = RANGES[key.removesuffix(".pos")]
    return (low + high) / 2
