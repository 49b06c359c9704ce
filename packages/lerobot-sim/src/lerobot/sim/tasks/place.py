"""Place: pick a cube up and put it down in a circle."""

import mujoco
import numpy as np

from lerobot.sim.scene import add_cube, add_mark
from lerobot.sim.task import Table, Task, closeness, distance, on_table
from lerobot.sim.tasks.lift import HALF_M, HEIGHT_M, free, held

RADIUS_M = 0.035
"""Radius of the circle."""

TOLERANCE_M = 0.025
"""How far from the circle's centre the cube may rest."""

_APART_M = 0.10


class Place(Task):
    """Solved when the cube rests in the circle, within 25 mm of its centre, and the gripper has let go."""

    name = "place"
    description = "Put the red cube into the green circle"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_cube(spec, "cube", HALF_M)
        add_mark(spec, "goal", RADIUS_M, (0.15, 0.62, 0.30, 1.0))

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """A cube and a circle 14 to 23 cm from the shoulder's axis and at least 10 cm apart."""
        cube, goal = apart(rng, _APART_M)
        table.place("cube", [*cube, HALF_M], rng.uniform(-np.pi, np.pi))
        table.place("goal", [*goal, 0.0004])

    def solved(self, table: Table) -> bool:
        """See the class."""
        cube = table.position("cube")
        return (
            distance(cube[:2], table.position("goal")[:2]) < TOLERANCE_M
            and abs(cube[2] - HALF_M) < 0.005
            and table.speed("cube") < 0.02
            and free(table, "cube")
        )

    def reward(self, table: Table) -> float:
        """A quarter each for reaching, holding, lifting or being at the goal, and the way to the goal."""
        if self.solved(table):
            return 1.0
        cube = table.position("cube")
        on_goal = closeness(distance(cube[:2], table.position("goal")[:2]))
        arrived = distance(cube[:2], table.position("goal")[:2]) < TOLERANCE_M
        height = 1.0 if arrived else float(np.clip((cube[2] - HALF_M) / HEIGHT_M, 0.0, 1.0))
        grasp = held(table, "cube") or arrived
        return (closeness(distance(table.position("grasp"), cube)) + grasp + height + on_goal) / 4


def apart(rng: np.random.Generator, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Two spots on the table, `(2,)` each, at least `least` metres from each other."""
    while True:
        first, second = (on_table(rng.uniform(0.14, 0.23), rng.uniform(-0.8, 0.8))[:2] for _ in range(2))
        if distance(first, second) >= least:
            return first, second
