"""From a place and direction of the gripper to joint angles, and back."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.joints import JOINTS, Joints

_DAMPING = 0.02
_TURN_WEIGHT_M = 0.015
"""How many metres of misplacement one radian of misdirection counts as."""

_MAX_STEP_RAD = 0.2
_ITERATIONS = 60
_GOOD_ENOUGH = 1e-4


class Kinematics:
    """Inverse kinematics of the gripper by damped least squares on MuJoCo's Jacobians.

    Args:
        model: a scene with the arm; a copy of its state is made, the scene itself is never touched.

    Source:
        Nakamura and Hanafusa 1986, "Inverse kinematic solutions with singularity robustness".
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._data = mujoco.MjData(model)
        joints = [model.joint(joint.name) for joint in JOINTS]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._arm = np.array([joint.dofadr[0] for joint in joints[:5]])
        self._low = np.array([joint.low for joint in JOINTS[:5]])
        self._high = np.array([joint.high for joint in JOINTS[:5]])
        self._site = model.site("grasp").id
        self._jacobian = np.empty((6, model.nv))

    def place(self, joints: Joints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Grasp point `(3,)` in metres and the gripper's axes `(3, 3)` at these joint angles."""
        self._data.qpos[self._qpos] = joints
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        return self._data.site_xpos[self._site].copy(), self._data.site_xmat[self._site].reshape(3, 3).copy()

    def solve(self, position: NDArray[np.float64], axes: NDArray[np.float64], start: Joints) -> Joints:
        """Joint angles that bring the grasp point to `position` and the gripper's axes to `axes`.

        Args:
            position: `(3,)`, metres, world frame.
            axes: `(3, 3)`, columns: where the gripper points, across the fingers, where the moving finger opens.
            start: joint angles to start from, `(6,)` rad; the gripper's own angle is kept.

        Returns:
            `(6,)` rad, within the limits; the nearest the arm can do if the pose is out of reach.
        """
        joints = start.copy()
        for _ in range(_ITERATIONS):
            at, now = self.place(joints)
            turn = sum(np.cross(now[:, axis], axes[:, axis]) for axis in range(3)) / 2
            error = np.concatenate([position - at, _TURN_WEIGHT_M * turn])
            if np.linalg.norm(error) < _GOOD_ENOUGH:
                break
            mujoco.mj_jacSite(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._site)
            jacobian = self._jacobian[:, self._arm].copy()
            jacobian[3:] *= _TURN_WEIGHT_M
            step = self._step(jacobian, error, joints[:5])
            step *= min(1.0, _MAX_STEP_RAD / max(float(np.abs(step).max()), 1e-9))
            joints[:5] = np.clip(joints[:5] + step, self._low, self._high)
        return joints

    def _step(self, jacobian: NDArray[np.float64], error: NDArray[np.float64], joints: Joints) -> Joints:
        """One damped step `(5,)`; a joint that stands at its limit leaves the work to the others."""
        free = np.ones(5, bool)
        while True:
            open_ = jacobian * free
            square = open_ @ open_.T + _DAMPING**2 * np.linalg.norm(error) * np.eye(6)
            step: Joints = open_.T @ np.linalg.solve(square, error)
            stuck = ((joints >= self._high) & (step > 0)) | ((joints <= self._low) & (step < 0))
            if not (stuck & free).any():
                return step
            free &= ~stuck


def pointing_down(yaw: float) -> NDArray[np.float64]:
    """Axes of a gripper that points straight down and opens towards `yaw` (rad, 0 is forward)."""
    opening = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    down = np.array([0.0, 0.0, -1.0])
    return np.column_stack([down, np.cross(opening, down), opening])
