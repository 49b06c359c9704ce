"""Which simulated scenes are running in this process, by the id of their robot.

A real leader arm and a real follower share a table without knowing each other. In a simulation the table is the
`World`, and whoever stands at it has to find it: the robot enters its world here while it is connected, the scripted
operator and cameras of their own look it up.
"""

import threading
from typing import TYPE_CHECKING

from lerobot.core.errors import DeviceError

if TYPE_CHECKING:
    # Commands without a simulated robot load this module too, by way of the hooks: it must not bring MuJoCo.
    from lerobot.sim.world import World


class RunningWorlds:
    """Worlds of connected robots, by robot id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worlds: dict[str | None, World] = {}

    def enter(self, robot_id: str | None, world: "World") -> None:
        """Announce the world of a robot that connects.

        Raises:
            DeviceError: another robot with this id is running.
        """
        with self._lock:
            if self._worlds.get(robot_id, world) is not world:
                raise DeviceError(
                    f"a sim_so101 with the id {robot_id!r} is already running in this process.",
                    expected="one robot per id",
                    hint="Give each its own --robot.id.",
                )
            self._worlds[robot_id] = world

    def leave(self, robot_id: str | None, world: "World") -> None:
        """Take a world back; does nothing if it is not announced."""
        with self._lock:
            if self._worlds.get(robot_id) is world:
                del self._worlds[robot_id]

    def all(self) -> list["World"]:
        """List every running world."""
        with self._lock:
            return list(self._worlds.values())

    def find(self, robot_id: str | None, *, wanted_by: str) -> "World":
        """Find the world of a robot.

        Args:
            robot_id: id of the robot; None takes the only one.
            wanted_by: name of the device that asks, for the error.

        Raises:
            DeviceError: there is no such robot, or several and no id.
        """
        with self._lock:
            if robot_id in self._worlds:
                return self._worlds[robot_id]
            if robot_id is None and len(self._worlds) == 1:
                return next(iter(self._worlds.values()))
            names = ", ".join(repr(name) for name in self._worlds) or "none"
        raise DeviceError(
            f"{wanted_by} found no simulated robot{f' with the id {robot_id!r}' if robot_id else ''}.",
            device=wanted_by,
            expected=f"a connected sim_so101 in this process; running: {names}",
            hint="Use --robot.type=sim_so101; if several run, choose one with robot_id.",
        )


running = RunningWorlds()
"""The worlds of this process."""
