"""Keeps an arm as a whole where it may be: each command, and the way to it."""

import math
from collections.abc import Mapping, Sequence

from lerobot.core.protocols.pose_limits import PoseLimits

Pose = list[float]

# Halvings of the step that leads outside: one of 15 mm is used to 1 mm, and the next tick goes on from there.
HALVINGS = 4
# A robot sends whole encoder steps: half of one (0.044 degrees) in every joint moves a point of an SO-101 by 1.2 mm.
ROUNDING_M = 2e-3
# Sums of the same numbers in another order differ by less.
EXACT_M = 1e-9


class PoseGuard:
    """Lets a pose change as far as every limit of `PoseLimits` allows.

    The way from one command to the next is judged in steps so small that no link jumps through another. Where it leads
    outside, the arm goes up to there, and then each joint alone as far as it may: it slides along what is in its way.
    No joint moves other than towards its own target, but for what the robot rounds. An arm that begins outside may not
    go deeper, and what it has gained it keeps.

    Args:
        limits: judges poses.
    """

    def __init__(self, limits: PoseLimits) -> None:
        self.keys = tuple(limits.keys)
        self._limits = limits
        self._reach_m = tuple(limits.reach_m)
        self._deepest: dict[str, float] = {}
        """How far outside the arm may be, by limit; nothing for those it is inside of."""
        self._at: Pose = []
        self._depths: Mapping[str, float] = {}
        """Where it was left, and how far outside it was there."""

    def begin(self, pose: Pose) -> Mapping[str, float]:
        """Begin where the robot is; what it is outside of, and how far in metres."""
        self._at, self._depths = pose, self._limits.outside(pose)
        self._deepest = dict(self._depths)
        return self._depths

    def follow(self, start: Pose, goal: Pose) -> tuple[Pose, str]:
        """Go towards a pose as far as is allowed.

        Args:
            start: what was sent last.
            goal: what is wanted now.

        Returns:
            The pose to send, and the name of the first limit in the way; empty if there is none.
        """
        if start == goal:
            return goal, ""
        if self._way_m(start, self._at) <= ROUNDING_M:
            # What the robot makes of a command is not judged anew, so that it cannot add up.
            start, depths = self._at, self._depths
        else:
            depths = self._limits.outside(start)
        most = {name: max(depth, self._deepest.get(name, 0.0)) for name, depth in depths.items()}
        pose, depths, blocked = self._walk(start, goal, depths, most, HALVINGS)
        if blocked:
            pose, depths = self._slide(pose, goal, depths, most)
        self._at, self._depths = pose, depths
        self._deepest = {name: min(most, depths[name]) for name, most in self._deepest.items() if name in depths}
        return pose, blocked

    def _way_m(self, start: Pose, goal: Pose) -> float:
        """The farthest that any point of the arm moves."""
        return sum(abs(end - begin) * reach for begin, end, reach in zip(start, goal, self._reach_m, strict=True))

    def _walk(
        self, start: Pose, goal: Pose, depths: Mapping[str, float], most: Mapping[str, float], halvings: int
    ) -> tuple[Pose, Mapping[str, float], str]:
        """Go on straight until the first limit: the pose, its depths, and the limit."""
        ways = [end - begin for begin, end in zip(start, goal, strict=True)]
        steps = max(1, math.ceil(self._way_m(start, goal) / self._limits.step_m))
        pose = start
        for step in range(1, steps + 1):
            ahead = goal if step == steps else _along(start, ways, step / steps)
            found = self._limits.outside(ahead)
            if blocked := _first(found, most):
                break
            pose, depths = ahead, found
        else:
            return pose, depths, ""
        low, high = (step - 1) / steps, step / steps
        for _ in range(halvings):
            middle = (low + high) / 2
            between = _along(start, ways, middle)
            found = self._limits.outside(between)
            if _first(found, most):
                high = middle
            else:
                low, pose, depths = middle, between, found
        return pose, depths, blocked

    def _slide(
        self, pose: Pose, goal: Pose, depths: Mapping[str, float], most: Mapping[str, float]
    ) -> tuple[Pose, Mapping[str, float]]:
        """Move each joint alone towards its target."""
        for index, target in enumerate(goal):
            if pose[index] != target:
                alone = [*pose[:index], target, *pose[index + 1 :]]
                pose, depths, _ = self._walk(pose, alone, depths, most, 0)
        return pose, depths


def _along(start: Sequence[float], ways: Sequence[float], share: float) -> Pose:
    return [begin + way * share for begin, way in zip(start, ways, strict=True)]


def _first(depths: Mapping[str, float], most: Mapping[str, float]) -> str:
    """A limit that is broken by more than it may be; empty if there is none."""
    for name, depth in depths.items():
        if depth > most.get(name, 0.0) + EXACT_M:
            return name
    return ""
