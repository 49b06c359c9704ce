"""Walls of a workspace, each with a name."""

import math
from dataclasses import dataclass

from lerobot.core.safety.config import Box, Workspace

TABLE = "table"


@dataclass(frozen=True, slots=True)
class Wall:
    """A plane; inside is where the normal points.

    Attributes:
        name: as messages and counts call it.
        normal: of length 1.
        offset: distance from the base along the normal, metres.
    """

    name: str
    normal: tuple[float, float, float]
    offset: float

    def point(self, distance_m: float) -> list[float]:
        """A point in front of it, at this distance."""
        return [part * (self.offset + distance_m) for part in self.normal]


def box_walls(box: Box) -> list[Wall]:
    """The bounded sides of a box."""
    walls = []
    for index, (axis, interval) in enumerate((("x", box.x), ("y", box.y), ("z", box.z))):
        for sign, bound in zip((1.0, -1.0), interval or (), strict=False):
            normal = [0.0, 0.0, 0.0]
            normal[index] = sign
            walls.append(
                Wall(
                    f"workspace {axis} {'low' if sign > 0 else 'high'}", (normal[0], normal[1], normal[2]), sign * bound
                )
            )
    return walls


def walls_of(workspace: Workspace) -> list[Wall]:
    """Everything that no moving link may pass."""
    walls = box_walls(workspace.box) if workspace.box is not None and workspace.whole_arm else []
    for number, plane in enumerate(workspace.planes, start=1):
        x, y, z = plane.normal
        length = math.hypot(x, y, z)
        walls.append(Wall(f"plane {number}", (x / length, y / length, z / length), plane.offset))
    if workspace.table_z is not None:
        walls.append(Wall(TABLE, (0.0, 0.0, 1.0), workspace.table_z))
    return walls
