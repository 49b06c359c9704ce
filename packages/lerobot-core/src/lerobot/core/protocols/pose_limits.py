"""Where an arm may be, as a whole: what its joints' own ranges cannot say."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class PoseLimits(Protocol):
    """Judges poses of an arm by where they put its links: workspace, table, the arm itself. Built for one robot."""

    @property
    def keys(self) -> Sequence[str]:
        """The robot's positions that a pose consists of, in order."""
        ...

    @property
    def reach_m(self) -> Sequence[float]:
        """For each key the farthest, in metres, that any point of the arm moves when it changes by one unit."""
        ...

    @property
    def step_m(self) -> float:
        """Poses that are judged lie so close together that no point of the arm moves farther between two of them."""
        ...

    def outside(self, pose: Sequence[float]) -> Mapping[str, float]:
        """Judge a pose.

        Args:
            pose: one finite value per key, in the robot's unit.

        Returns:
            By the name of each limit that the pose breaks, by how much, in metres; empty if it breaks none.
        """
        ...
