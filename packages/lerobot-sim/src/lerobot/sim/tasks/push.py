"""Push: move a cube over the table into a circle."""

import mujoco
import numpy as np

from lerobot.sim.scene import add_cube, add_mark
from lerobot.sim.task import Table, Task, closeness, distance, on_table
from lerobot.sim.tasks.lift import HALF_M

RADIUS_M = 0.035
"""Radius of the circle."""

TOLERANCE_M = 0.02
"""How far from the circle's centre the cube may be."""


class Push(Task):
    """Solved when the cube lies within 20 mm of the circle's centre."""

    name = "push"
    description = "Push the red cube into the green circle"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_cube(spec, "cube", HALF_M)
        add_mark(spec, "goal", RADIUS_M, (0.15, 0.62, 0.30, 1.0))

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """A cube near the middle of the table and a circle 8 to 11 cm to its left or right."""
        radius, angle = rng.uniform(0.16, 0.20), rng.uniform(-0.25, 0.25)
        side = rng.choice([-1.0, 1.0])
        spot = on_table(radius, angle, HALF_M)
        direction = angle + side * (np.pi / 2 + rng.uniform(-0.35, 0.35))
        way = rng.uniform(0.08, 0.11) * np.array([np.cos(direction), np.sin(direction)])
        table.place("cube", spot, rng.uniform(-np.pi, np.pi))
        table.place("goal", np.array([*(spot[:2] + way), 0.0004]))

    def solved(self, table: Table) -> bool:
        """See the class."""
        cube = table.position("cube")
        near = distance(cube[:2], table.position("goal")[:2]) < TOLERANCE_M
        return near and abs(cube[2] - HALF_M) < 0.005

    def reward(self, table: Table) -> float:
        """A third for reaching the cube, two thirds for its way to the circle."""
        if self.solved(table):
            return 1.0
        cube = table.position("cube")
        to_goal = closeness(distance(cube[:2], table.position("goal")[:2]))
        return (closeness(distance(table.position("grasp"), cube)) + 2 * to_goal) / 3
