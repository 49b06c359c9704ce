"""Motors, gains and limits of OpenArm; the values of huggingface/lerobot."""

from collections.abc import Mapping
from types import MappingProxyType

MotorEntry = tuple[int, int, str]
"""Id a motor is commanded with, id it answers with, and model."""

MOTORS: Mapping[str, MotorEntry] = MappingProxyType(
    {
        "joint_1": (1, 0x11, "dm8009"),
        "joint_2": (2, 0x12, "dm8009"),
        "joint_3": (3, 0x13, "dm4340"),
        "joint_4": (4, 0x14, "dm4340"),
        "joint_5": (5, 0x15, "dm4310"),
        "joint_6": (6, 0x16, "dm4310"),
        "joint_7": (7, 0x17, "dm4310"),
        "gripper": (8, 0x18, "dm4310"),
    }
)

FOLLOWER_KP = (240.0, 240.0, 240.0, 240.0, 24.0, 31.0, 25.0, 25.0)
FOLLOWER_KD = (5.0, 5.0, 3.0, 5.0, 0.3, 0.3, 0.3, 0.3)
LEADER_KP = (240.0, 240.0, 240.0, 240.0, 24.0, 31.0, 25.0, 16.0)
LEADER_KD = (3.0, 3.0, 3.0, 3.0, 0.2, 0.2, 0.2, 0.2)

Limits = dict[str, tuple[float, float]]

NARROW: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        **{f"joint_{i}": (-5.0, 5.0) for i in (1, 2, 3, 5, 6, 7)},
        "joint_4": (0.0, 5.0),
        "gripper": (-5.0, 0.0),
    }
)
"""Limits of an arm of which nobody has said whether it is a left or a right one, degrees."""


def _side(joint_2: tuple[float, float]) -> Mapping[str, tuple[float, float]]:
    return MappingProxyType(
        {
            "joint_1": (-75.0, 75.0),
            "joint_2": joint_2,
            "joint_3": (-85.0, 85.0),
            "joint_4": (0.0, 135.0),
            "joint_5": (-85.0, 85.0),
            "joint_6": (-40.0, 40.0),
            "joint_7": (-80.0, 80.0),
            "gripper": (-65.0, 0.0),
        }
    )


LIMITS = MappingProxyType({"left": _side((-90.0, 9.0)), "right": _side((-9.0, 90.0))})
"""Limits of a left and of a right arm, degrees."""

ZERO_POSE = "hanging straight down, gripper closed"
