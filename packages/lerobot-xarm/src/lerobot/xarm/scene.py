"""Arm, table and cube: where they start, what an action does, what can be measured."""

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

TABLE = np.array([1.655, 0.3, 0.63625])
"""What positions are relative to in a state, in m; gym-xarm calls it the table's centre."""

HAND_START = np.array([1.280, 0.295, 0.735])
"""Where the hand's target starts, give or take `SPREAD` along each axis, in m."""

CUBE_START = TABLE - [0.15, 0.10, 0.07]
"""Where the cube starts, give or take `SPREAD` along x and y, in m."""

SPREAD = 0.05

DOWN = np.array([0.0, 1.0, 0.0, 0.0], np.float32)
"""The hand's orientation, a quaternion (w, x, y, z): fingers down."""

LOW = np.array([TABLE[0] - 0.405, TABLE[1] - 0.3, 0.2])
HIGH = np.array([TABLE[0] + 0.045, TABLE[1] + 0.3, 1.2])
"""Beyond these places, in m, the hand goes back only."""

REACH = 0.05
"""How far an action of 1 puts the hand's target away from where the arm is, in m."""

SETTLED = 10
"""Physics steps before an episode begins."""

STATE_DT = 0.04
"""Velocities of a state are per this time, in s."""


class Scene:
    """The physics; see gym-xarm.

    Args:
        file: of the scene.
        physics_steps: with one target of the hand.
        targets: of the hand with one action.
    """

    def __init__(self, file: Path, *, physics_steps: int, targets: int) -> None:
        self.model = mujoco.MjModel.from_xml_path(str(file))
        self.data = mujoco.MjData(self.model)
        self._physics_steps, self._targets = physics_steps, targets
        # The hand is welded to a target that is moved; without an offset, whatever the file says.
        welds = self.model.eq_type == mujoco.mjtEq.mjEQ_WELD
        self.model.eq_data[welds, :8] = [0, 0, 0, 0, 0, 0, 1, 0]
        self._link = self.model.body("link7").id
        self._sites = {name: self.model.site(name).id for name in ("grasp", "object_site")}
        self._knuckle = self._place("right_outer_knuckle_joint")
        self._fingers = [self._knuckle, self._place("right_inner_knuckle_joint")]
        self._cube = self._place("object_joint0")
        self.start_height = float(CUBE_START[2])

    def start(self, random: np.random.Generator) -> None:
        """Put everything where an episode starts, which depends on the random numbers alone."""
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)
        self.data.mocap_pos[0] = HAND_START + random.uniform(-SPREAD, SPREAD, size=3)
        self.data.mocap_quat[0] = DOWN
        self.data.qpos[self._fingers] = 0.0
        cube = CUBE_START.copy()
        cube[0] += random.uniform(-SPREAD, SPREAD)
        cube[1] += random.uniform(-SPREAD, SPREAD)
        self.data.qpos[self._cube : self._cube + 3] = cube
        mujoco.mj_step(self.model, self.data, SETTLED)

    def move(self, action: NDArray[np.float32]) -> None:
        """Move the hand's target `(3,)` and drive the gripper, each in [-1, 1]; 1 closes."""
        self.data.ctrl[:] = action[3]
        for _ in range(self._targets):
            way = action[:3]
            way = np.where(self.hand > HIGH, np.minimum(way, 0), way)
            way = np.where(self.hand < LOW, np.maximum(way, 0), way)
            self.data.mocap_pos[0] = self.data.xpos[self._link] + way * np.float32(REACH)
            self.data.mocap_quat[0] = self.data.xquat[self._link] + DOWN
            mujoco.mj_step(self.model, self.data, self._physics_steps)
        mujoco.mj_forward(self.model, self.data)

    @property
    def hand(self) -> Numbers:
        """Place between the fingertips `(3,)`, in m."""
        return self._site("grasp")

    @property
    def cube(self) -> Numbers:
        """The cube's middle `(3,)`, in m."""
        return self._site("object_site")

    @property
    def lifted(self) -> float:
        """How far the cube is above its start, in m."""
        return float(self.cube[2]) - self.start_height

    @property
    def gripper(self) -> float:
        """Angle of a knuckle, in rad: 0 open, 0.85 closed."""
        return float(self.data.qpos[self._knuckle])

    def state(self, target: float) -> Numbers:
        """Everything, as gym-xarm orders it, `(28,)`.

        Args:
            target: the cube's height that counts as lifted, in the frame that the state shall say it in, in m.
        """
        hand, cube = self.hand - TABLE, self.cube - TABLE
        between = hand - cube
        hand_speed, _ = self._speeds("grasp")
        distances = np.linalg.norm(between), np.linalg.norm(between[:2])
        heights = target, target - cube[2], target - hand[2]
        rotation = self.data.qpos[self._cube + 3 : self._cube + 7]
        cube_speeds = self._speeds("object_site")
        return np.concatenate(
            [hand, hand_speed, cube, rotation, *cube_speeds, between, distances, heights, [self.gripper]]
        )

    def _site(self, name: str) -> Numbers:
        place: Numbers = self.data.site_xpos[self._sites[name]].copy()
        return place

    def _speeds(self, name: str) -> tuple[Numbers, Numbers]:
        """A site's way and turn, each `(3,)` in m and rad per `STATE_DT`."""
        way, turn = np.zeros((3, self.model.nv)), np.zeros((3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, way, turn, self._sites[name])
        return way @ self.data.qvel * STATE_DT, turn @ self.data.qvel * STATE_DT

    def _place(self, joint: str) -> int:
        return int(self.model.joint(joint).qposadr[0])
