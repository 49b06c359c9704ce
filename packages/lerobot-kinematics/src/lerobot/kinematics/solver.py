"""From a pose to joint angles."""

from dataclasses import dataclass

import mujoco
import numpy as np

from lerobot.kinematics.arm import Arm, Vector

_ITERATIONS = 30
_MAX_TURN_RAD = 0.2
"""Farthest a joint turns per iteration: Jacobians hold nearby only, and the solution near the start is wanted."""

_CONVERGED_RAD = 1e-7
_MET_M = 1e-6

_CAUTION_M = 0.02
_CAUTION_RAD = 0.003
"""Damping per metre and radian that are left, so that nothing overshoots; at the goal there is none."""

_SMALLEST = 1e-12
_SMALLEST_RAD = 1e-6


@dataclass(frozen=True, slots=True)
class Solution:
    """What was found.

    Attributes:
        joints: `(n,)` rad, within the limits.
        position_error_m: distance to the position that was asked for.
    """

    joints: Vector
    position_error_m: float


class InverseKinematics:
    """Damped least squares in two ranks: the position first, then as much of the orientation as is left to choose.

    So an arm with fewer than six joints meets every position within its reach, whatever orientation is asked for. The
    search stays within the joint limits and takes the solution next to where it starts.

    Args:
        arm: the chain.
        orientation_weight: how strongly the orientation is sought; 0 leaves it free.

    Source:
        Nakamura and Hanafusa 1986, "Inverse kinematic solutions with singularity robustness"; Nakamura, Hanafusa and
        Yoshikawa 1987, "Task-priority based redundancy control".
    """

    def __init__(self, arm: Arm, *, orientation_weight: float = 0.01) -> None:
        self._arm = arm
        self._weight = orientation_weight

    def solve(self, position: Vector, rotation: Vector, start: Vector) -> Solution:
        """Find joint angles.

        Args:
            position: `(3,)` metres, base frame.
            rotation: `(3, 3)`.
            start: `(n,)` rad, where the search begins.
        """
        joints = self._search(position, rotation, np.clip(start, self._arm.low, self._arm.high), self._weight)
        if self._distance(position, joints) > _MET_M:
            # Two goals that contradict each other may never settle.
            joints = self._search(position, rotation, joints, 0.0)
        return Solution(joints, self._distance(position, joints))

    def _distance(self, position: Vector, joints: Vector) -> float:
        return float(np.linalg.norm(position - self._arm.place(joints)[0]))

    def _search(self, position: Vector, rotation: Vector, joints: Vector, weight: float) -> Vector:
        for _ in range(_ITERATIONS):
            at, now = self._arm.place(joints)
            step = self._step(position - at, rotation_vector(rotation @ now.T), joints, weight)
            largest = float(np.abs(step).max())
            if largest < _CONVERGED_RAD:
                break
            joints = np.clip(joints + step * min(1.0, _MAX_TURN_RAD / largest), self._arm.low, self._arm.high)
        return joints

    def _step(self, shift: Vector, turn: Vector, joints: Vector, weight: float) -> Vector:
        """One step `(n,)` rad; a joint that stands at its limit leaves the work to the others."""
        jacobian = self._arm.jacobian()
        free = np.ones(len(joints), bool)
        while True:
            step = _towards(jacobian * free, shift, turn, weight)
            stuck = ((joints >= self._arm.high) & (step > 0)) | ((joints <= self._arm.low) & (step < 0))
            if not (stuck & free).any():
                return step
            free &= ~stuck


def _towards(jacobian: Vector, shift: Vector, turn: Vector, weight: float) -> Vector:
    """Joint step `(n,)` that moves the end by `shift` (m) and, as far as that leaves a choice, by `turn` (rad)."""
    linear, angular = jacobian[:3], jacobian[3:]
    inverse = _damped_inverse(linear, _CAUTION_M**2 * float(np.linalg.norm(shift)) + _SMALLEST)
    step: Vector = inverse @ shift
    if weight:
        choice = angular @ (np.eye(len(step)) - inverse @ linear)
        damping = (_CAUTION_RAD * float(np.linalg.norm(turn)) + _SMALLEST_RAD) / weight
        step = step + _damped_inverse(choice, damping) @ (turn - angular @ step)
    return step


def _damped_inverse(matrix: Vector, damping: float) -> Vector:
    square = matrix @ matrix.T + damping * np.eye(len(matrix))
    inverse: Vector = np.linalg.solve(square, matrix).T.astype(np.float64, copy=False)
    return inverse


def rotation_vector(rotation: Vector) -> Vector:
    """Axis times angle `(3,)` rad of a rotation matrix `(3, 3)`; the angle is at most pi."""
    quaternion, vector = np.empty(4), np.empty(3)
    mujoco.mju_mat2Quat(quaternion, rotation.reshape(9))
    mujoco.mju_quat2Vel(vector, quaternion, 1.0)
    return vector


def rotation_matrix(vector: Vector) -> Vector:
    """Rotation matrix `(3, 3)` of axis times angle `(3,)` rad."""
    angle = float(np.linalg.norm(vector))
    quaternion, matrix = np.empty(4), np.empty(9)
    mujoco.mju_axisAngle2Quat(quaternion, vector / angle if angle else np.array([1.0, 0.0, 0.0]), angle)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)
