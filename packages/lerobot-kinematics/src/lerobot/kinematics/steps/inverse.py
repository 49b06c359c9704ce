"""From the end effector to joints."""

import logging
from typing import Any

import numpy as np

from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.processors.transition import EnvTransition, TransitionKey
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.arm import Vector
from lerobot.kinematics.config import InverseKinematicsConfig
from lerobot.kinematics.joints import MotorJoints
from lerobot.kinematics.poses import EE_GRIPPER, GRIPPER, POSE, read_pose
from lerobot.kinematics.solver import InverseKinematics
from lerobot.kinematics.steps.reference import IK_SOLUTION

log = logging.getLogger(__name__)


class InverseKinematicsEEToJoints(RobotActionProcessorStep):
    """Replaces the pose of an action by joint targets in degrees; `ee.gripper_pos` becomes `gripper.pos`.

    A pose out of reach moves nothing: the last targets are held. Nor does a pose make the arm jump: per tick, targets
    move no farther than `max_joint_step_deg`.
    """

    def __init__(self, config: InverseKinematicsConfig) -> None:
        super().__init__(config)
        self._joints = MotorJoints(config.kinematics, config.motor_names)
        self._solver = InverseKinematics(self._joints.arm, orientation_weight=config.orientation_weight)
        self._targets: Vector | None = None
        self._holds = False

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        position, rotation = read_pose(action, "action")
        measured = self._joints.read(self.transition.get(TransitionKey.OBSERVATION) or {}, "observation")
        last = measured if self._targets is None else self._targets
        start = measured if self.config.initial_guess_current_joints else last
        self._targets = self._next(position, rotation, start, last)
        others = {key: value for key, value in action.items() if key not in {*POSE, EE_GRIPPER}}
        gripper = {GRIPPER: float(action[EE_GRIPPER])} if EE_GRIPPER in action else {}
        return others | self._joints.values(self._targets) | gripper

    def _next(self, position: Vector, rotation: Vector, start: Vector, last: Vector) -> Vector:
        """Targets `(n,)` rad of this tick."""
        finite = bool(np.isfinite(position).all() and np.isfinite(rotation).all())
        solution = self._solver.solve(position, rotation, start) if finite else None
        if solution is None or solution.position_error_m > self.config.max_position_error_m:
            if not self._holds:
                log.warning("end-effector position %s is out of reach: the arm holds", np.round(position, 3).tolist())
            self._holds = True
            return last
        self._holds = False
        way = solution.joints - last
        farthest = float(np.degrees(np.abs(way).max()))
        part: float = min(1.0, self.config.max_joint_step_deg / max(farthest, 1e-9))
        return last + way * part

    def reset(self) -> None:
        """Begin from the measured joints again."""
        super().reset()
        self._targets = None
        self._holds = False

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        action: dict[str, FeatureSpec] = features["action"]
        require_keys(list(POSE), action, "action")
        self._joints.require(features["observation"], "observation")
        others = {key: spec for key, spec in action.items() if key not in {*POSE, EE_GRIPPER}}
        gripper = {GRIPPER: action[EE_GRIPPER]} if EE_GRIPPER in action else {}
        return {**features, "action": others | self._joints.features | gripper}


class InverseKinematicsRLStep(InverseKinematicsEEToJoints):
    """Does the same, and leaves the targets in the complementary data for the next tick's `ee_reference_and_delta`."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Replace, and leave `IK_solution`."""
        result = super().__call__(transition)
        targets = np.array([result[TransitionKey.ACTION][key] for key in self._joints.keys])
        data = result.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        return {**result, TransitionKey.COMPLEMENTARY_DATA: {**data, IK_SOLUTION: targets}}
