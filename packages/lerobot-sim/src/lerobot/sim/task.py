"""What a task is: objects, where they start, when it is solved and how far it has come."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

PAN_AXIS_X = 0.0388
"""Where the shoulder turns, metres in front of the base's origin."""


class Table(Protocol):
    """What a task needs of the world: where things are, and to put them somewhere. Points are in metres, `(3,)`."""

    def position(self, name: str) -> NDArray[np.float64]:
        """See `World.position`."""
        ...

    def speed(self, name: str) -> float:
        """See `World.speed`."""
        ...

    def touching(self, name: str) -> set[str]:
        """See `World.touching`."""
        ...

    def place(self, name: str, position: Sequence[float] | NDArray[np.float64], yaw: float = 0.0) -> None:
        """See `World.place`."""
        ...


class Task(ABC):
    """One task on the table. It has no state: everything that changes is in the world."""

    name: ClassVar[str]
    """Registered name."""

    description: ClassVar[str]
    """The task in words, as a person would ask for it."""

    @abstractmethod
    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """Add the bodies the task is about to the scene."""

    @abstractmethod
    def arrange(self, table: Table, rng: np.random.Generator) -> None:
        """Place the objects for the start of an episode, with numbers from `rng` only."""

    @abstractmethod
    def solved(self, table: Table) -> bool:
        """Whether the task is done now."""

    @abstractmethod
    def reward(self, table: Table) -> float:
        """How far the task has come: 0 far away, 1 solved, growing all along the way."""


def on_table(radius: float, angle: float, height: float = 0.0) -> NDArray[np.float64]:
    """Point at a distance (m) and direction (rad, 0 is forward) from the axis the shoulder turns about."""
    return np.array([PAN_AXIS_X + radius * math.cos(angle), radius * math.sin(angle), height])


def closeness(distance: float, scale: float = 0.1) -> float:
    """1 at no distance, falling smoothly to 0; `scale` is where it has fallen to 0.24."""
    return 1.0 - math.tanh(distance / scale)


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Euclidean distance between two points of any dimension."""
    return float(np.linalg.norm(a - b))
