"""What counts: the cube is lifted, and how near to that the arm is."""

import numpy as np

from lerobot.xarm.scene import TABLE, Scene

HIGH_ENOUGH = 0.15
"""How far the cube has to be lifted, in m."""

NEARLY = 0.01
"""Missing that much, it is rewarded as if it were, in m."""

OFF_THE_TABLE = 0.005
"""Lifted that far it has left the table, in m."""


class Lift:
    """The cube is lifted 15 cm."""

    def height(self, scene: Scene) -> float:
        """The cube's height above its start, in m."""
        return scene.lifted

    def target(self, scene: Scene) -> float:
        """The height of a lifted cube in the frame of a state, in m."""
        return scene.start_height + HIGH_ENOUGH - float(TABLE[2])

    def solved(self, scene: Scene) -> bool:
        """Whether the cube is lifted."""
        return self.height(scene) >= HIGH_ENOUGH

    def reward(self, scene: Scene, grip: float) -> float:
        """Nearness of the hand, at most 0, and what the cube is worth: its height above its start, in m.

        Args:
            scene: after the step.
            grip: what the action asked of the gripper, 1 to close.
        """
        return self._reward(scene, grip, self.height(scene), start=0.0)

    def _reward(self, scene: Scene, grip: float, height: float, start: float) -> float:
        way = scene.cube - scene.hand
        far, far_level = float(np.linalg.norm(way)), float(np.linalg.norm(way[:2]))
        target = start + HIGH_ENOUGH
        near = -far
        if far < 0.05:
            near += max(grip, 0.0) / 50
        elif far_level >= 0.05:
            near -= 2 * abs(float(way[2]))
        dropped = height < start + OFF_THE_TABLE and far > 0.02
        if height >= target - NEARLY and not dropped:
            worth = target
        elif far < 0.1 and height > start + OFF_THE_TABLE:
            worth = min(target, height)
        else:
            worth = 0.0
        return near / 100 + worth


class ReferenceLift(Lift):
    """As gym-xarm 0.1.1 judges: it compares a height above the table's centre with one above the floor."""

    def height(self, scene: Scene) -> float:
        """The cube's height above the table's centre, in m."""
        return float(scene.cube[2] - TABLE[2])

    def target(self, scene: Scene) -> float:
        """The height of a lifted cube above the floor, in m."""
        return scene.start_height + HIGH_ENOUGH

    def solved(self, scene: Scene) -> bool:
        """Whether the one height has reached the other."""
        return self.height(scene) >= self.target(scene)

    def reward(self, scene: Scene, grip: float) -> float:
        """See `Lift.reward`; of a cube that counts as never lifted."""
        return self._reward(scene, grip, self.height(scene), start=scene.start_height)
