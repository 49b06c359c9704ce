"""What runs in this process, so that devices find each other that share a world.

A real leader arm and a real follower share a table without knowing each other. In a simulation the table is an object,
and whoever stands at it has to find it: the robot enters it here while it is connected, and a scripted operator or a
camera of its own looks it up.
"""

import threading
from typing import Generic, TypeVar

from lerobot.core.errors import DeviceError

World = TypeVar("World")


class Running(Generic[World]):
    """Worlds of connected robots, by robot id.

    Args:
        robot: registered name of the robots.
    """

    def __init__(self, robot: str) -> None:
        self._robot = robot
        self._lock = threading.Lock()
        self._worlds: dict[str | None, World] = {}

    def enter(self, robot_id: str | None, world: World) -> None:
        """Announce the world of a robot that connects.

        Raises:
            DeviceError: another robot with this id is running.
        """
        with self._lock:
            if self._worlds.get(robot_id, world) is not world:
                raise DeviceError(
                    f"a robot of type {self._robot} with the id {robot_id!r} is already running in this process.",
                    expected="one robot per id",
                    hint="Give each its own --robot.id.",
                )
            self._worlds[robot_id] = world

    def leave(self, robot_id: str | None, world: World) -> None:
        """Take a world back; does nothing if it is not announced."""
        with self._lock:
            if self._worlds.get(robot_id) is world:
                del self._worlds[robot_id]

    def all(self) -> list[World]:
        """List every running world."""
        with self._lock:
            return list(self._worlds.values())

    def find(self, robot_id: str | None, *, wanted_by: str) -> World:
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
            expected=f"a connected robot of type {self._robot} in this process; running: {names}",
            hint=f"Use --robot.type={self._robot}; if several run, choose one with robot_id.",
        )
