"""How each task is done: one generator of motions per task, written as a person would explain it."""

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from lerobot.sim.expert.hand import CLOSED, OPEN, Hand, Motion, outward
from lerobot.sim.joints import Joints
from lerobot.sim.kinematics import pointing_down
from lerobot.sim.tasks.lift import HALF_M, held
from lerobot.sim.world import Vector

_UP = np.array([0.0, 0.0, 1.0])
_ABOVE_M = 0.055
_CARRY_M = 0.085
_CLEARANCE_M = -0.004
"""The hand stands this much to the side of the fixed finger, so that neither finger comes down close to the cube."""

_ATTEMPTS = 3
_STAY_S = 0.5

_FORK_PERCENT = 14.0
"""Opening at which the fingers are 20 mm apart: two points push a cube without turning it."""

_FORK_OFFSET_M = 0.009
"""How far the middle between those fingers lies beside the grasp point."""

_BEHIND_M = 0.05
_PUSHED_M = 0.008
_PUSH_LIMIT_S = 6.0


def reach(hand: Hand) -> Motion:
    """Go to the ball and stay there, so that nobody doubts the arrival."""
    ball = hand.see("ball")
    yield from hand.go(ball, pointing_down(outward(ball)))
    yield from hand.wait(_STAY_S)


def lift(hand: Hand) -> Motion:
    """Pick the cube up and keep it there."""
    yield from _pick(hand)


def place(hand: Hand) -> Motion:
    """Pick the cube up and put it down in the circle."""
    if (yield from _pick(hand)):
        goal = hand.see("goal")
        yield from _put(hand, np.array([goal[0], goal[1], HALF_M]))


def stack(hand: Hand) -> Motion:
    """Pick the red cube up and put it on the blue one."""
    if (yield from _pick(hand)):
        yield from _put(hand, hand.see("base_cube") + 2 * HALF_M * _UP)


def push(hand: Hand) -> Motion:
    """Put two fingers behind the cube and push it to the circle."""
    yield from hand.grip(_FORK_PERCENT)
    cube, way = _push_way(hand)
    axes = pointing_down(_fork_yaw(cube, way))
    start = cube - _BEHIND_M * way + _FORK_OFFSET_M * axes[:, 2]
    yield from hand.go(start + _ABOVE_M * _UP, axes)
    yield from hand.line(start, axes)
    before, began = hand.world.now_s, hand.world.now_s
    while _left(hand) > _PUSHED_M and hand.world.now_s - began < _PUSH_LIMIT_S:
        dt, before = hand.world.now_s - before, hand.world.now_s
        cube, way = _push_way(hand)
        axes = pointing_down(_fork_yaw(cube, way))
        # Aiming inside the cube keeps the fingers pressed against it.
        yield hand.slide(cube - 0.5 * HALF_M * way + _FORK_OFFSET_M * axes[:, 2], axes, dt)
    back = hand.see("cube") - _BEHIND_M * way + _FORK_OFFSET_M * axes[:, 2]
    yield from hand.line(back, axes)
    yield from hand.line(back + _ABOVE_M * _UP, axes)


PLANS: dict[str, Callable[[Hand], Motion]] = {
    "lift": lift,
    "place": place,
    "push": push,
    "reach": reach,
    "reach_blue": reach,
    "reach_red": reach,
    "stack": stack,
}
"""How to do each task, by its name."""

BEGINS_ANYWHERE = frozenset({"reach", "reach_blue", "reach_red"})
"""Tasks in which nothing is held, and nothing stands in the arm's way, wherever it waits."""

ENDS_AT_HOME = frozenset({"place", "push", "stack"})
"""Tasks that are still solved when the arm has gone home."""


def _pick(hand: Hand) -> Generator[Joints, None, bool]:
    """Grasp the cube from above and lift it; try again if it slipped, and say in the end whether it is held."""
    for _ in range(_ATTEMPTS):
        cube = hand.see("cube")
        axes = pointing_down(_grasp_yaw(hand, cube))
        yield from hand.grip(OPEN)
        spot = cube + _CLEARANCE_M * axes[:, 2]
        yield from hand.go(spot + _ABOVE_M * _UP, axes)
        yield from hand.line(spot, axes)
        yield from hand.grip(CLOSED)
        yield from hand.line(spot + _CARRY_M * _UP, axes)
        if held(hand.world, "cube"):
            return True
    return False


def _put(hand: Hand, goal: Vector) -> Motion:
    """Bring the held cube to `goal`, let go and withdraw."""
    axes = hand.world.orientation("grasp")
    offset = axes.T @ (hand.world.position("cube") - hand.world.position("grasp"))
    # Turned so that the wrist goes on as it is while the shoulder swings round.
    swing = outward(goal) - outward(hand.world.position("grasp"))
    yaw = np.arctan2(axes[1, 2], axes[0, 2]) + swing
    upright = pointing_down(yaw)
    target = goal - upright @ offset
    yield from hand.go(target + _ABOVE_M * _UP, upright)
    yield from hand.line(target + 0.002 * _UP, upright)
    yield from hand.grip(OPEN)
    yield from hand.line(target + _ABOVE_M * _UP, upright)


def _grasp_yaw(hand: Hand, cube: Vector) -> float:
    """Direction of the cube's side that turns the wrist least."""
    side = hand.world.orientation("cube")[:, 0]
    straight = outward(cube)
    turn = np.arctan2(side[1], side[0]) - straight
    return float(straight + (turn + np.pi / 4) % (np.pi / 2) - np.pi / 4)


def _push_way(hand: Hand) -> tuple[Vector, Vector]:
    """Where the cube is, and the direction it has to go."""
    cube = hand.see("cube")
    way = hand.world.position("goal")[:2] - hand.world.position("cube")[:2]
    return cube, np.array([*(way / max(float(np.linalg.norm(way)), 1e-9)), 0.0])


def _left(hand: Hand) -> float:
    """How far the cube is from the circle's centre."""
    return float(np.linalg.norm((hand.world.position("goal") - hand.world.position("cube"))[:2]))


def _fork_yaw(cube: Vector, way: NDArray[np.float64]) -> float:
    """Direction across the way of a push, on the side that turns the wrist least."""
    across = np.arctan2(way[1], way[0]) + np.pi / 2
    turn = across - outward(cube)
    return float(across if np.cos(turn) >= 0 else across + np.pi)
