"""The sensors of the Homunculus exoskeleton and glove, in the order of their calibration files."""

from collections.abc import Mapping
from dataclasses import dataclass

from lerobot.hope_jr.tables import ARM_MODELS, FINGERS, THUMB
from lerobot.motors.motor import MotorNormMode


@dataclass(frozen=True)
class Sensor:
    """The sensor of one joint.

    Attributes:
        field: its place in a line, from 0.
        norm_mode: unit of the joint.
        drive_mode: 1 if its reading falls while the joint's value rises.
    """

    field: int
    norm_mode: MotorNormMode
    drive_mode: int = 0


EXOSKELETON_FIELDS = 21
"""Integers of a line of the exoskeleton, most of which belong to no joint of the arm."""

EXOSKELETON: Mapping[str, Sensor] = {
    joint: Sensor(field, MotorNormMode.RANGE_M100_100)
    for joint, field in zip(ARM_MODELS, (19, 18, 20, 17, 16, 1, 0), strict=True)
}

GLOVE_PARTS = {
    "thumb": THUMB,
    **{finger: tuple(f"{finger}_{part}" for part in ("mcp_abduction", "mcp_flexion", "dip")) for finger in FINGERS},
}
"""Joints of each finger."""

INVERTED = {
    "right": frozenset(
        {
            "thumb_cmc",
            "thumb_mcp",
            "thumb_pip",
            "thumb_dip",
            "index_mcp_abduction",
            "middle_mcp_abduction",
            "ring_mcp_abduction",
            "ring_mcp_flexion",
            "pinky_mcp_abduction",
        }
    ),
    "left": frozenset(
        {
            "thumb_cmc",
            "index_dip",
            "middle_mcp_abduction",
            "middle_dip",
            "pinky_mcp_abduction",
            "pinky_dip",
        }
    ),
}
"""Joints of the glove whose reading falls while the joint's value rises, by side."""


def _glove(side: str) -> dict[str, Sensor]:
    joints = [joint for part in GLOVE_PARTS.values() for joint in part]
    sideways, bent = MotorNormMode.RANGE_M100_100, MotorNormMode.RANGE_0_100
    return {
        joint: Sensor(field, sideways if joint.endswith("abduction") else bent, int(joint in INVERTED[side]))
        for field, joint in enumerate(joints)
    }


GLOVES: Mapping[str, Mapping[str, Sensor]] = {side: _glove(side) for side in INVERTED}
"""Gloves by side."""
