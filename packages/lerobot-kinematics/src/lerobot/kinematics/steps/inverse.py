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
from lerobot.kinematics.solver import InverseKinematics, Solution, rotation_vector
from lerobot.kinematics.steps.reference import IK_SOLUTION

log = logging.getLogger(__name__)

_NEAR_M, _NEAR_RAD = 0.02, 0.2
"""A pose no farther away is the next one of a motion: more than any hand asks for within a tick."""


class InverseKinematicsEEToJoints(RobotActionProcessorStep):
    """Replaces the pose of an action by joint targets in degrees; `ee.gripper_pos` becomes `gripper.pos`.

    A pose out of reach moves nothing: the last targets are held. Nor does a pose make the arm jump: per tick, targets
    move no farther than `max_joint_step_deg`, and the elbow does not fold the other way for the sake of orientation.
    """

    def __init__(self, config: InverseKinematicsConfig) -> None:
        super().__init__(config)
        self._joints = MotorJoints(config.kinematics, config.motor_names)
        self._solver = InverseKinematics(self._joints.arm, orientation_weight=config.orientation_weight)
        self._free_solver = InverseKinematics(self._joints.arm, orientation_weight=0.0)
        self._targets: Vector | None = None
        self._holds = self._travels = False

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
        if not (np.isfinite(position).all() and np.isfinite(rotation).all()):
            return self._hold(position, last)
        solution = self._solver.solve(position, rotation, start)
        ticks = self._ticks(solution, last)
        if ticks > 1 and not self._travels and self._is_near(position, rotation, last):
            # Joints far away for a pose nearby: the arm would have to fold the other way to keep its orientation.
            solution = self._free_solver.solve(position, rotation, last)
            ticks = self._ticks(solution, last)
            if ticks > 1:
                return self._hold(position, last)
        if solution.position_error_m > self.config.max_position_error_m:
            return self._hold(position, last)
        self._holds, self._travels = False, ticks > 1
        return last + (solution.joints - last) / max(ticks, 1.0)

    def _ticks(self, solution: Solution, last: Vector) -> float:
        """How many ticks the way to a solution takes."""
        step_deg: float = self.config.max_joint_step_deg
        return float(np.degrees(np.abs(solution.joints - last).max())) / step_deg

    def _hold(self, position: Vector, last: Vector) -> Vector:
        if not self._holds:
            log.warning("end-effector position %s is out of reach: the arm holds", np.round(position, 3).tolist())
        self._holds, self._travels = True, False
        return last

    def _is_near(self, position: Vector, rotation: Vector, joints: Vector) -> bool:
        at, now = self._joints.arm.place(joints)
        turn = np.linalg.norm(rotation_vector(rotation @ now.T))
        return bool(np.linalg.norm(position - at) < _NEAR_M and turn < _NEAR_RAD)

    def reset(self) -> None:
        """Begin from the measured joints again."""
        super().reset()
        self._targets = None
        self._holds = self._travels = False

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
