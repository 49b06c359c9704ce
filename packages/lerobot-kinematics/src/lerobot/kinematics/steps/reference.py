"""From a displacement to a pose."""

from typing import Any

import numpy as np

from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.processors.transition import TransitionKey
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.arm import Vector
from lerobot.kinematics.config import EEReferenceAndDeltaConfig
from lerobot.kinematics.joints import MotorJoints
from lerobot.kinematics.poses import POSE_FEATURES, pose_values
from lerobot.kinematics.solver import rotation_matrix

IK_SOLUTION = "IK_solution"
"""Key of the complementary data: joint angles that were commanded last, `(n,)` degrees."""

_SHIFT, _TURN = ("target_x", "target_y", "target_z"), ("target_wx", "target_wy", "target_wz")
_TAKEN = ("enabled", *_SHIFT, *_TURN)
_VELOCITY = "gripper_vel"

_Pose = tuple[Vector, Vector]


class EEReferenceAndDelta(RobotActionProcessorStep):
    """Replaces `enabled`, `target_x` ... `target_wz` by the pose they ask for, `ee.x` ... `ee.wz`.

    While enabled, the pose is the reference shifted by the scaled target in the base's frame and turned by the target
    rotation in its own. While not, the last pose is asked for again, at first the one the arm has.
    """

    def __init__(self, config: EEReferenceAndDeltaConfig) -> None:
        super().__init__(config)
        self._joints = MotorJoints(config.kinematics, config.motor_names)
        steps = config.end_effector_step_sizes
        self._scale = np.array([steps.x, steps.y, steps.z])
        self._reference: _Pose | None = None
        self._commanded: _Pose | None = None
        self._enabled = False

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        require_keys(list(_TAKEN), action, "action")
        enabled = bool(action["enabled"])
        if enabled:
            position, rotation = self._referred()
            shift = np.array([float(action[key]) for key in _SHIFT])
            turn = np.array([float(action[key]) for key in _TURN])
            self._commanded = position + shift * self._scale, rotation @ rotation_matrix(turn)
        elif self._commanded is None:
            self._commanded = self._present()
        self._enabled = enabled
        return _renamed(action) | pose_values(*self._commanded)

    def _referred(self) -> _Pose:
        """What displacements count from."""
        if not self.config.use_latched_reference:
            return self._present()
        if self._reference is None or not self._enabled:
            self._reference = self._present()
        return self._reference

    def _present(self) -> _Pose:
        data = self.transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        if self.config.use_ik_solution and IK_SOLUTION in data:
            return self._joints.arm.place(np.radians(data[IK_SOLUTION][: len(self._joints.keys)]))
        return self._joints.arm.place(
            self._joints.read(self.transition.get(TransitionKey.OBSERVATION) or {}, "observation")
        )

    def reset(self) -> None:
        """Refer to the pose the arm will have then."""
        super().reset()
        self._reference = self._commanded = None
        self._enabled = False

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        require_keys(list(_TAKEN), features["action"], "action")
        self._joints.require(features["observation"], "observation")
        action: dict[str, FeatureSpec] = _renamed(features["action"])
        return {**features, "action": action | POSE_FEATURES}


def _renamed(action: dict[str, Any]) -> dict[str, Any]:
    """What the pose does not replace; the gripper's velocity gets its name beside a pose."""
    return {f"ee.{key}" if key == _VELOCITY else key: value for key, value in action.items() if key not in _TAKEN}
