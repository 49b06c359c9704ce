"""Stack: put one cube on another."""

import mujoco
import numpy as np

from lerobot.sim.scene import add_cube
from lerobot.sim.task import Table, Task, closeness, distance
from lerobot.sim.tasks.lift import HALF_M, HEIGHT_M, free, held
from lerobot.sim.tasks.place import apart

_APART_M = 0.10


class Stack(Task):
    """Solved when the red cube rests on the blue one and the gripper has let go of it."""

    name = "stack"
    description = "Stack the red cube on the blue cube"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_cube(spec, "cube", HALF_M)
        add_cube(spec, "base_cube", HALF_M, (0.12, 0.30, 0.80, 1.0))

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """Two cubes 14 to 23 cm from the shoulder's axis, turned any way, at least 10 cm apart."""
        cube, below = apart(rng, _APART_M)
        table.place("cube", [*cube, HALF_M], rng.uniform(-np.pi, np.pi))
        table.place("base_cube", [*below, HALF_M], rng.uniform(-np.pi, np.pi))

    def solved(self, table: Table) -> bool:
        """See the class."""
        cube, below = table.position("cube"), table.position("base_cube")
        return (
            distance(cube[:2], below[:2]) < HALF_M
            and abs(cube[2] - below[2] - 2 * HALF_M) < 0.005
            and "base_cube" in table.touching("cube")
            and table.speed("cube") < 0.02
            and free(table, "cube")
        )

    def reward(self, table: Table) -> float:
        """A quarter each for reaching, holding, lifting and the way to the top of the blue cube."""
        if self.solved(table):
            return 1.0
        cube, below = table.position("cube"), table.position("base_cube")
        above = distance(cube[:2], below[:2])
        arrived = above < HALF_M and cube[2] > 2.5 * HALF_M
        height = 1.0 if arrived else float(np.clip((cube[2] - HALF_M) / HEIGHT_M, 0.0, 1.0))
        grasp = held(table, "cube") or arrived
        return (closeness(distance(table.position("grasp"), cube)) + grasp + height + closeness(above)) / 4
