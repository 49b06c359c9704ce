"""What the arm is to do: where things start, what is rewarded, when it is over."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

START_AREA = np.array([[0.3, -0.15], [0.5, 0.15]])
"""Where cubes start, least and greatest x and y in m."""

MARGIN = 0.05
"""How far a block may leave its area, in m."""


class Task(Protocol):
    """One task in one scene; units are m and rad."""

    scene: ClassVar[str]
    """Its file among gym-hil's assets."""
    description: ClassVar[str]
    home: ClassVar[Numbers]
    """Joints `(7,)` an episode starts with."""
    workspace: ClassVar[Numbers]
    """Least and greatest place of the hand's target, `(2, 3)`."""

    def place(self, data: mujoco.MjData, random: np.random.Generator) -> None:
        """Put the blocks where the episode starts; the model's own start stands in `data`."""
        ...

    def begin(self, data: mujoco.MjData) -> None:
        """Note how things stand at the start."""
        ...

    def block(self, data: mujoco.MjData) -> Numbers:
        """Where the first block is, `(3,)`."""
        ...

    def sparse_reward(self, data: mujoco.MjData) -> float:
        """1 if it is solved, else 0."""
        ...

    def dense_reward(self, data: mujoco.MjData) -> float:
        """How near it is."""
        ...

    def is_finished(self, data: mujoco.MjData) -> bool:
        """Whether it is solved as the dense reward counts, which may ask for more than the sparse one."""
        ...

    def is_lost(self, data: mujoco.MjData) -> bool:
        """Whether the first block has left its area."""
        ...


class PickCube:
    """Lift a cube by more than 10 cm.

    Args:
        random_position: start the cube anywhere in `START_AREA`, not at (0.5, 0).
    """

    scene: ClassVar[str] = "scene.xml"
    description: ClassVar[str] = "Pick up the cube."
    home: ClassVar[Numbers] = np.array([0, 0.195, 0, -2.43, 0, 2.62, 0.785])
    workspace: ClassVar[Numbers] = np.array([[0.2, -0.3, 0.0], [0.6, 0.3, 0.5]])
    LIFT: ClassVar[float] = 0.1
    NEAR: ClassVar[float] = 0.05

    def __init__(self, *, random_position: bool = False) -> None:
        self._random_position = random_position
        self._start_height = 0.0

    def place(self, data: mujoco.MjData, random: np.random.Generator) -> None:
        """See `Task.place`."""
        data.joint("block").qpos[:2] = random.uniform(*START_AREA) if self._random_position else (0.5, 0.0)
        data.joint("block").qpos[2] = data.model.geom("block").size[2]

    def begin(self, data: mujoco.MjData) -> None:
        """See `Task.begin`."""
        self._start_height = float(self.block(data)[2])

    def block(self, data: mujoco.MjData) -> Numbers:
        """See `Task.block`."""
        place: Numbers = data.sensor("block_pos").data
        return place

    def sparse_reward(self, data: mujoco.MjData) -> float:
        """See `Task.sparse_reward`."""
        return float(self._lift(data) > self.LIFT)

    def dense_reward(self, data: mujoco.MjData) -> float:
        """See `Task.dense_reward`: 0.3 for being near, 0.7 for the height."""
        near = np.exp(-20 * self._distance(data))
        return float(0.3 * near + 0.7 * np.clip(self._lift(data) / self.LIFT, 0, 1))

    def is_finished(self, data: mujoco.MjData) -> bool:
        """See `Task.is_finished`: lifted, and between the fingers."""
        return self._distance(data) < self.NEAR and self._lift(data) > self.LIFT

    def is_lost(self, data: mujoco.MjData) -> bool:
        """See `Task.is_lost`."""
        return _is_outside(self.block(data), MARGIN)

    def _lift(self, data: mujoco.MjData) -> float:
        return float(self.block(data)[2]) - self._start_height

    def _distance(self, data: mujoco.MjData) -> float:
        return float(np.linalg.norm(self.block(data) - data.sensor("2f85/pinch_pos").data))


class ArrangeBoxes:
    """Bring each of five boxes to the mark of its colour."""

    scene: ClassVar[str] = "arrange_boxes_scene.xml"
    description: ClassVar[str] = "Put every box on the mark of its colour."
    home: ClassVar[Numbers] = np.array([0, -0.785, 0, -2.35, 0, 1.57, np.pi / 4])
    workspace: ClassVar[Numbers] = np.array([[0.2, -0.5, 0.0], [0.6, 0.5, 0.5]])
    NUMBERS: ClassVar[Sequence[int]] = range(1, 6)
    SPREAD: ClassVar[float] = 0.3
    NEAR: ClassVar[float] = 0.03

    def place(self, data: mujoco.MjData, random: np.random.Generator) -> None:
        """See `Task.place`: in a row, in any order."""
        places = np.linspace(-self.SPREAD, self.SPREAD, len(self.NUMBERS))
        for number, y in zip(self.NUMBERS, random.permutation(places), strict=True):
            data.joint(f"block{number}").qpos[1] = y
            data.joint(f"block{number}").qpos[2] = data.model.geom("block1").size[2]

    def begin(self, data: mujoco.MjData) -> None:
        """See `Task.begin`; there is nothing to note."""

    def block(self, data: mujoco.MjData) -> Numbers:
        """See `Task.block`."""
        place: Numbers = data.sensor("block1_pos").data
        return place

    def sparse_reward(self, data: mujoco.MjData) -> float:
        """See `Task.sparse_reward`."""
        return float(self.is_finished(data))

    def dense_reward(self, data: mujoco.MjData) -> float:
        """See `Task.dense_reward`: up to 1 for every box."""
        return float(np.exp(-20 * self._distances(data)).sum())

    def is_finished(self, data: mujoco.MjData) -> bool:
        """See `Task.is_finished`."""
        return bool((self._distances(data) < self.NEAR).all())

    def is_lost(self, data: mujoco.MjData) -> bool:
        """See `Task.is_lost`."""
        return _is_outside(self.block(data), self.SPREAD + MARGIN)

    def _distances(self, data: mujoco.MjData) -> Numbers:
        return np.array(
            [
                np.linalg.norm(data.sensor(f"block{number}_pos").data - data.sensor(f"target{number}_pos").data)
                for number in self.NUMBERS
            ]
        )


def _is_outside(place: Numbers, margin: float) -> bool:
    low, high = START_AREA
    return bool((place[:2] < low - margin).any() or (place[:2] > high + margin).any())
