"""The hand as X-VLA was taught to know it: two of them, each with place, two columns of its turn's matrix, gripper.

Source: Zheng et al. 2025, arXiv:2510.10274; order and signs are those of huggingface/lerobot 0.6.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.policies.processing.rotation import axis_angle

HANDS_NUMBERS = 20
"""Of two hands."""
SCENE = "image"
"""The picture that is turned by 180 degrees."""
_CLOSED = 0.5


def state_of_columns(place: NDArray[Any], matrix: NDArray[Any]) -> NDArray[np.float32]:
    """The state, `(20,)` float32.

    Args:
        place: of the hand, x, y, z in m.
        matrix: the turn of the hand, `(3, 3)`.
    """
    state = np.zeros(HANDS_NUMBERS, np.float32)
    state[:9] = np.concatenate([place, matrix[:, 0], matrix[:, 1]])
    return state


def hand_action(action: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make LIBERO's action `(7,)`, place, axis times angle in rad and gripper, -1 or 1, of one for two hands."""
    turn = axis_angle(torch.from_numpy(action[3:9])).numpy()
    return np.concatenate([action[:3], turn, [1.0 if action[9] > _CLOSED else -1.0]])
