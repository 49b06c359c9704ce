"""Whoever can do it already: over the cube, down, close, up."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DeviceError
from lerobot.envs.expert import ExpertTeleoperator
from lerobot.xarm.env import XArm
from lerobot.xarm.scene import Scene

ABOVE = np.array([0.0, 0.0, 0.12])
"""Where the hand waits over the cube, in m: its open fingers pass beside it."""

ARRIVED = 0.02
"""Nearer than this the hand is where it shall be, in m."""

EAGER, GENTLE = 15.0, 5.0
"""Action per m of way: on the way, and while the fingers close."""

CLOSING = 8
"""Steps that the fingers get to close."""

LIFT = np.array([0.0, 0.0, 0.6, 1.0], np.float32)
"""The action that lifts; faster, the heavy cube slips out."""


class Expert:
    """Lifts the cube, once.

    Args:
        scene: what it looks at.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._over = False
        self._closed = 0

    def act(self) -> NDArray[np.float32]:
        """The next action, `(4,)` in [-1, 1]."""
        hand, cube = self._scene.hand, self._scene.cube
        if not self._over:
            way = cube + ABOVE - hand
            self._over = bool(np.linalg.norm(way) < ARRIVED)
            return _action(way * EAGER, grip=-1)
        if not self._closed and np.linalg.norm(cube - hand) >= ARRIVED:
            return _action((cube - hand) * EAGER, grip=-1)
        self._closed += 1
        if self._closed <= CLOSING:
            return _action((cube - hand) * GENTLE, grip=1)
        return LIFT.copy()


class XArmExpert(ExpertTeleoperator):
    """The expert as a teleoperator."""

    name = "xarm_expert"
    action_names = XArm.action_names

    def begin(self, env: Any) -> Callable[[], NDArray[np.float32]]:
        """See `ExpertTeleoperator.begin`."""
        if not isinstance(env, XArm):
            raise DeviceError(f"{self} cannot play in {env}", device=str(self), expected="--robot.env.type=xarm")
        return Expert(env.scene).act


def _action(way: NDArray[np.float64], *, grip: float) -> NDArray[np.float32]:
    action: NDArray[np.float32] = np.clip(np.append(way, grip), -1, 1).astype(np.float32)
    return action
