"""What is done to a field of an episode on its way into a feature, by the names that the table uses.

Source:
    openvla/openvla@c8f03f48 `data_utils.py` for the meaning of relative grippers; the rest is arithmetic.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]

_MOVES = 0.1
"""Relative commands that are nearer to zero hold the gripper."""


def absolute_gripper(commands: Numbers) -> Numbers:
    """From +1 closes, -1 opens, 0 holds, to where the gripper shall be: 1 open, 0 closed.

    Before the first command it is the opposite of that, because a command that changes nothing is not given; an episode
    without one begins and stays open.
    """
    column = commands.reshape(len(commands))
    wanted = np.where(column < -_MOVES, 1.0, np.where(column > _MOVES, 0.0, np.nan))
    given = np.flatnonzero(~np.isnan(wanted))
    if not len(given):
        return np.ones_like(commands, np.float32)
    last = np.searchsorted(given, np.arange(len(column)), side="right") - 1
    states = np.where(last < 0, 1.0 - wanted[given[0]], wanted[given[np.maximum(last, 0)]])
    return states.astype(np.float32).reshape(commands.shape)


def clip(numbers: Numbers) -> Numbers:
    """Cut to 0 .. 1."""
    return np.clip(numbers, 0, 1)


def invert(numbers: Numbers) -> Numbers:
    """1 becomes 0 and 0 becomes 1."""
    return 1 - numbers.astype(np.float32)


def clip_and_invert(numbers: Numbers) -> Numbers:
    """Cut to 0 .. 1, then 1 becomes 0 and 0 becomes 1."""
    return invert(clip(numbers))


def euler_angles(quaternions: Numbers) -> Numbers:
    """Rotations about the fixed axes x, y and z, one after the other, in rad.

    Args:
        quaternions: (T, 4), x, y, z, w.

    Returns:
        (T, 3): roll, pitch, yaw.
    """
    x, y, z, w = np.moveaxis(np.asarray(quaternions, np.float64), -1, 0)
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1, 1))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.stack([roll, pitch, yaw], axis=-1).astype(np.float32)


def following(numbers: Numbers) -> Numbers:
    """The value of the next frame; the last frame's own for it."""
    return np.concatenate([numbers[1:], numbers[-1:]])


def swap_red_and_blue(image: Numbers) -> Numbers:
    """BGR as RGB, or the other way round: (H, W, 3)."""
    return np.ascontiguousarray(image[..., ::-1])


def text_of_code_points(codes: Numbers) -> str:
    """The text of code points that are filled up with zeros."""
    return "".join(map(chr, codes[: int(np.argmax(np.append(codes == 0, values=True)))]))


NUMBERS: Mapping[str, Callable[[Numbers], Numbers]] = {
    "absolute_gripper": absolute_gripper,
    "clip": clip,
    "clip_and_invert": clip_and_invert,
    "euler_angles": euler_angles,
    "invert": invert,
    "next": following,
}
"""On the numbers of a whole episode, (T, N)."""

IMAGES: Mapping[str, Callable[[Numbers], Numbers]] = {"swap_red_and_blue": swap_red_and_blue}
"""On one image."""


def texts(operation: str, values: Sequence[Any]) -> Sequence[str]:
    """The texts of an episode, one a frame."""
    return [text_of_code_points(np.asarray(value)) for value in values] if operation == "code_points" else list(values)


def succeeded(paths: Sequence[str]) -> Numbers:
    """Whether the folder of a recording is one of successes, a value a frame."""
    return np.array(["/success/" in path for path in paths])
