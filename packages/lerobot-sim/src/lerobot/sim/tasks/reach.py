"""Reach: bring the gripper to a ball in the air, the only one or the one that is asked for."""

from typing import ClassVar

import mujoco
import numpy as np

from lerobot.sim.scene import add_ball
from lerobot.sim.task import Table, Task, closeness, distance, on_table

TOLERANCE_M = 0.015

HAND_AT_HOME = np.array([0.170, 0.0, 0.100])
"""Where the grasp point is while the arm waits."""

_FROM_HOME_M = 0.05
_RADIUS_M = 0.014
_BIG_RADIUS_M = 0.018
_ASIDE_RAD = (0.4, 0.7)
"""Of two balls each hangs this far to its side of the arm, so that no way to one leads past the other."""

_RED = (0.85, 0.13, 0.12, 1.0)
_BLUE = (0.12, 0.30, 0.80, 1.0)


class Reach(Task):
    """Solved when the grasp point is within 15 mm of the ball's centre."""

    name = "reach"
    description = "Move the gripper to the green ball"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_ball(spec, "ball", _RADIUS_M, (0.10, 0.70, 0.25, 1.0))

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


class ReachRed(Reach):
    """One of two balls, a red and a blue one: the scene of an episode is that of `ReachBlue`, and words decide."""

    name = "reach_red"
    description = "Move the gripper to the red ball"

    asks_for_red: ClassVar[bool] = True

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """The ball that is asked for is `ball`, as in `Reach`."""
        asked, other = (_RED, _BLUE) if self.asks_for_red else (_BLUE, _RED)
        add_ball(spec, "ball", _BIG_RADIUS_M, asked)
        add_ball(spec, "other_ball", _BIG_RADIUS_M, other)

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """Balls 17 to 21 cm from the shoulder's axis, 6 to 12 cm up: red to the left, blue to the right.

        Each keeps its side, so that words alone say which way to go, and pictures how far: a small model that has
        learned nothing before can learn it within minutes.
        """
        red, blue = (
            on_table(rng.uniform(0.17, 0.21), side * rng.uniform(*_ASIDE_RAD), rng.uniform(0.06, 0.12))
            for side in (1.0, -1.0)
        )
        asked, other = (red, blue) if self.asks_for_red else (blue, red)
        table.place("ball", asked)
        table.place("other_ball", other)


class ReachBlue(ReachRed):
    """The other one of the two balls."""

    name = "reach_blue"
    description = "Move the gripper to the blue ball"

    asks_for_red = False
