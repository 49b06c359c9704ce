"""Lift: pick a cube up."""

import mujoco
import numpy as np

from lerobot.sim.scene import add_cube
from lerobot.sim.task import Table, Task, closeness, distance, on_table

HALF_M = 0.015
"""Half the edge of a cube."""

HEIGHT_M = 0.06
"""How far above the table's rest height the cube has to be."""


_JAW = frozenset({"jaw_tip", "jaw_ridge", "jaw_link"})


class Lift(Task):
    """Solved when the gripper holds the cube 6 cm above the table."""

    name = "lift"
    description = "Lift the red cube"

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """See `Task.add_objects`."""
        add_cube(spec, "cube", HALF_M)

    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """A cube 14 to 24 cm from the shoulder's axis, turned any way."""
        spot = on_table(rng.uniform(0.14, 0.24), rng.uniform(-0.8, 0.8), HALF_M)
        table.place("cube", spot, rng.uniform(-np.pi, np.pi))

    def solved(self, table: Table) -> bool:
        """See the class."""
        return held(table, "cube") and table.position("cube")[2] > HALF_M + HEIGHT_M

    def reward(self, table: Table) -> float:
        """A third for reaching the cube, a third for holding it, a third for its height."""
        if self.solved(table):
            return 1.0
        cube = table.position("cube")
        height = np.clip((cube[2] - HALF_M) / HEIGHT_M, 0.0, 1.0)
        return float(closeness(distance(table.position("grasp"), cube)) + held(table, "cube") + height) / 3


def held(table: Table, name: str) -> bool:
    """Whether both fingers touch an object."""
    touching = table.touching(name)
    return "fixed_finger" in touching and not touching.isdisjoint(_JAW)


def free(table: Table, name: str) -> bool:
    """Whether nothing of the gripper touches an object."""
    return table.touching(name).isdisjoint(_JAW | {"fixed_finger", "gripper_palm", "gripper_servo"})
