"""What is measured and commanded, by both ends of the wire."""

from lerobot.core.types import FeatureSpec

ARM_JOINTS = (
    "arm_shoulder_pan",
    "arm_shoulder_lift",
    "arm_elbow_flex",
    "arm_wrist_flex",
    "arm_wrist_roll",
    "arm_gripper",
)

BASE_FEATURES = {
    "x.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3)),
    "y.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3)),
    "theta.vel": FeatureSpec(unit="deg/s", range=(-90.0, 90.0)),
}
"""Velocity of the body: forward, to the left, counter-clockwise; the ranges are the top level of its speed table."""

STATE_KEYS = (*(f"{joint}.pos" for joint in ARM_JOINTS), *BASE_FEATURES)
"""Entries of the state and of a command, in the order of recorded vectors."""

SPEED_LEVELS = ((0.1, 30.0), (0.2, 60.0), (0.3, 90.0))
"""Its speed table: m/s and degrees/s. The wheels do not reach the last one straight ahead or sideways; see `base`."""
