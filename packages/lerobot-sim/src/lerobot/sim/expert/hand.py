"""How the expert sees and moves: smooth motions of the arm, as generators of joint angles, one per control tick."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lerobot.sim.joints import JOINTS, Joints
from lerobot.sim.kinematics import Kinematics
from lerobot.sim.task import PAN_AXIS_X
from lerobot.sim.world import Vector, World

Motion = Iterator[Joints]
"""Joint angles `(6,)` rad the arm should be at now; asked for once a control tick."""

_SPEED_RAD_S = 1.1
_JAW_SPEED_RAD_S = 1.8
_LINE_SPEED_M_S = 0.10
_PUSH_SPEED_M_S = 0.08
_SHORTEST_S = 0.25
_SETTLE_S = 0.5
_SETTLED_RAD = 0.015
_MISJUDGED_M = (0.04, 0.05)
"""How far to the middle and how far up a mistaken expert looks."""

OPEN, CLOSED = 55.0, 0.0
"""Openings of the gripper, percent."""


def outward(position: Vector) -> float:
    """Direction from the shoulder's axis to a place, rad; the shoulder itself counts the other way round."""
    return float(np.arctan2(position[1], position[0] - PAN_AXIS_X))


class Hand:
    """The expert's arm and eyes.

    Args:
        world: the scene to act in.
        rng: source of hesitation and of misjudgement.
        hesitation_s: mean length of the pauses between motions.
        mistaken: misjudge where things are: short of them and too high, so that they are missed for certain.
    """

    def __init__(self, world: World, rng: np.random.Generator, *, hesitation_s: float, mistaken: bool) -> None:
        self.world = world
        self.joints = world.joint_positions
        self._kinematics = Kinematics(world.model)
        self._rng = rng
        self._hesitation_s = hesitation_s
        self._mistaken = mistaken

    def see(self, name: str) -> Vector:
        """Where something seems to be."""
        position = self.world.position(name)
        if self._mistaken:
            inwards, up = _MISJUDGED_M
            position += [0.0, -np.copysign(inwards, position[1]), up]
        return position

    def go(self, position: Vector, axes: NDArray[np.float64]) -> Motion:
        """Move the grasp point smoothly to a pose and wait until the arm is there."""
        # The shoulder is turned towards the goal first: from there the solution is always the natural one.
        start = self.joints.copy()
        start[0] = -outward(position)
        yield from self._joints_to(self._kinematics.solve(position, axes, start))

    def line(self, position: Vector, axes: NDArray[np.float64]) -> Motion:
        """Move the grasp point smoothly along a straight line, and wait until the arm is there."""
        yield from self.hesitate()
        start, _ = self._kinematics.place(self.joints)
        way = position - start
        for part in self._parts(float(np.linalg.norm(way)) / _LINE_SPEED_M_S):
            self.joints = self._kinematics.solve(start + part * way, axes, self.joints)
            yield self.joints
        yield from self._settle()

    def go_home(self, home: Joints) -> Motion:
        """Move to a known pose, the gripper first."""
        goal = np.append(self.joints[:5], home[5])
        yield from self._glide(goal, abs(home[5] - self.joints[5]) / _JAW_SPEED_RAD_S)
        yield from self._joints_to(home)

    def grip(self, percent: float) -> Motion:
        """Open or close the gripper and wait for it."""
        goal = self.joints.copy()
        goal[5] = JOINTS[5].to_angle(percent, degrees=True)
        yield from self._glide(goal, abs(goal[5] - self.joints[5]) / _JAW_SPEED_RAD_S)
        yield from self.wait(_SETTLE_S)

    def slide(self, position: Vector, axes: NDArray[np.float64], dt: float) -> Joints:
        """Joint angles one tick of `dt` seconds nearer to a pose, in a straight line at pushing speed."""
        at, _ = self._kinematics.place(self.joints)
        way = position - at
        step = min(1.0, _PUSH_SPEED_M_S * dt / max(float(np.linalg.norm(way)), 1e-9))
        self.joints = self._kinematics.solve(at + step * way, axes, self.joints)
        return self.joints

    def hesitate(self) -> Motion:
        """Pause for a random time."""
        if self._hesitation_s:
            yield from self.wait(self._rng.exponential(self._hesitation_s))

    def wait(self, seconds: float) -> Motion:
        """Hold still."""
        until = self.world.now_s + seconds
        while self.world.now_s < until:
            yield self.joints

    def _joints_to(self, goal: Joints) -> Motion:
        yield from self.hesitate()
        yield from self._glide(goal, float(np.abs(goal - self.joints).max()) / _SPEED_RAD_S)
        yield from self._settle()

    def _settle(self) -> Motion:
        until = self.world.now_s + _SETTLE_S
        while np.abs(self.world.joint_positions - self.joints)[:5].max() > _SETTLED_RAD and self.world.now_s < until:
            yield self.joints

    def _glide(self, goal: Joints, seconds: float) -> Motion:
        start = self.joints.copy()
        for part in self._parts(seconds):
            self.joints = start + part * (goal - start)
            yield self.joints

    def _parts(self, seconds: float) -> Iterator[float]:
        """How much of a minimum-jerk motion (Flash and Hogan 1985) is done, 0 to 1, each time it is asked."""
        began, duration = self.world.now_s, max(seconds, _SHORTEST_S)
        part = 0.0
        while part < 1.0:
            part = min(1.0, (self.world.now_s - began) / duration)
            yield part**3 * (10 - 15 * part + 6 * part**2)
