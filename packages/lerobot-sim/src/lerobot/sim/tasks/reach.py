"""Reach: bring the gripper to a ball in the air."""

import mujoco
import numpy as np

from lerobot.sim.scene import add_ball
from lerobot.sim.task import Table, Task, closeness, distance, on_table

TOLERANCE_M = 0.015

HAND_AT_HOME = np.array([0.170, 0.0, 0.100])
"""Where the grasp point is while the arm waits."""

_FROM_HOME_M = 0.05


class Reach(Task):
    """Solved when the grasp point is within 15 mm of the ball's centre."""

    name = "reach"
    description = "Move the gripper to the green ball"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_ball(spec, "ball", 0.014, (0.10, 0.70, 0.25, 1.0))

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """A ball 14 to 24 cm from the shoulder's axis, 3 to 15 cm up and not where the hand waits."""
        while True:
            spot = on_table(rng.uniform(0.14, 0.24), rng.uniform(-0.9, 0.9), rng.uniform(0.03, 0.15))
            if distance(spot, HAND_AT_HOME) > _FROM_HOME_M:
                break
        table.place("ball", spot)

    def solved(self, table: Table) -> bool:
        """See the class."""
        return distance(table.position("grasp"), table.position("ball")) < TOLERANCE_M

    def reward(self, table: Table) -> float:
        """Closeness of the grasp point to the ball."""
        return 1.0 if self.solved(table) else closeness(distance(table.position("grasp"), table.position("ball")))
