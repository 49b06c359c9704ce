"""The end effector as robots, processors and datasets name it: `ee.x` ... `ee.wz`, and the gripper beside it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.arm import Vector
from lerobot.kinematics.solver import rotation_matrix, rotation_vector

POSE = ("ee.x", "ee.y", "ee.z", "ee.wx", "ee.wy", "ee.wz")
"""Position in metres and axis times angle in rad, in the frame of the arm's base."""

EE_GRIPPER, GRIPPER = "ee.gripper_pos", "gripper.pos"
"""The gripper's position beside a pose, and beside joints."""

POSE_FEATURES = {key: FeatureSpec(unit="m" if index < 3 else "rad") for index, key in enumerate(POSE)}


def pose_values(position: Vector, rotation: Vector) -> dict[str, float]:
    """Values of a pose by key.

    Args:
        position: `(3,)` metres.
        rotation: `(3, 3)`.
    """
    return dict(zip(POSE, [*position.tolist(), *rotation_vector(rotation).tolist()], strict=True))


def read_pose(values: Mapping[str, Any], entry: str) -> tuple[Vector, Vector]:
    """Position `(3,)` in metres and rotation matrix `(3, 3)` of a pose by key; NaN where a value is not finite.

    Args:
        values: an observation or action.
        entry: which of the two, for messages.

    Raises:
        FeatureMismatchError: the pose is not complete; names what is missing.
    """
    require_keys(list(POSE), dict(values), entry)
    numbers = np.array([float(values[key]) for key in POSE])
    turn = numbers[3:]
    return numbers[:3], rotation_matrix(turn) if np.isfinite(turn).all() else np.full((3, 3), np.nan)
