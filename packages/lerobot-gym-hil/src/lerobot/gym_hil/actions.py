"""From an action to what gym-hil's arm is told: a way of the hand in m, and the gripper's change."""

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.gym_hil.config import GymHilConfig

Numbers = NDArray[np.float64]
Action = NDArray[np.float32]

OPENED, CLOSED = 0.1, 0.9
"""How far a gripper is closed below which it counts as open, and above which as closed."""

CLASSES = (0.0, 2.0)
"""Least and greatest gripper of an action of four: 0 opens, 2 closes."""

STAY = 1.0
"""Between them."""


class SevenNumbers:
    """gym-hil's own: the hand's way in m, three numbers without effect, and how far the gripper closes."""

    space = gymnasium.spaces.Box(-1.0, 1.0, (7,), np.float32)

    def command(self, action: Action) -> tuple[Numbers, float]:
        """Way `(3,)` in m, and how far the gripper closes, in parts of its way."""
        return action[:3].astype(np.float64), float(action[6])

    def penalty(self, grip: float, gripper: float) -> float:
        """See `StepsAndGripper.penalty`: there is none."""
        del grip, gripper
        return 0.0


class StepsAndGripper:
    """Steps of the hand, and a gripper that opens, stays or closes.

    Args:
        config: step sizes, gripper and penalty.
    """

    def __init__(self, config: GymHilConfig) -> None:
        sizes = config.ee_step_size
        self._sizes = np.array([sizes.x, sizes.y, sizes.z])
        self._gripper = config.use_gripper
        self._penalty = config.penalty
        grip = [list(CLASSES)] if config.use_gripper else []
        low, high = np.array([[-1, 1]] * 3 + grip, np.float32).T
        self.space = gymnasium.spaces.Box(low, high, dtype=np.float32)

    def command(self, action: Action) -> tuple[Numbers, float]:
        """Way `(3,)` in m, and how far the gripper closes, in parts of its way."""
        return action[:3] * self._sizes, float(action[3] - np.float32(STAY)) if self._gripper else 0.0

    def penalty(self, grip: float, gripper: float) -> float:
        """What it costs to open a closed gripper or to close an open one, so that it is not done for nothing.

        Args:
            grip: how far the command closes it.
            gripper: how far it is closed, 0 to 1.
        """
        turns = (grip < -0.5 and gripper > CLOSED) or (grip > 0.5 and gripper < OPENED)
        return self._penalty if self._gripper and turns else 0.0
