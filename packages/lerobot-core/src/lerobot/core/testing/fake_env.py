"""The fake environment: a point mass that is pushed to a goal."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lerobot.core.config.base import EnvConfig
from lerobot.core.testing.spaces import Box

Vector = npt.NDArray[np.float32]


class FakeEnvConfig(EnvConfig):
    """A point mass in the plane; pushed to the origin by velocity commands."""

    target = "lerobot.core.testing.fake_env:FakeEnv"

    type: str = "fake"
    max_steps: int = 50
    """Steps after which an episode is truncated."""


class FakeEnv:
    """A point in `[-1, 1]^2` that moves by a tenth of the action per step; solved within 0.05 of the origin.

    Observation: position `(2,)` float32. Action: velocity `(2,)` float32 in `[-1, 1]`. Reward: minus the distance.

    Args:
        config: see `FakeEnvConfig`.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 10, "render_modes": ["rgb_array"]}
    task_description = "Push the point to the middle."

    def __init__(self, config: FakeEnvConfig) -> None:
        self.config = config
        self.observation_space = Box(-1.0, 1.0, (2,))
        self.action_space = Box(-1.0, 1.0, (2,))
        self._position: Vector = np.zeros(2, np.float32)
        self._steps = 0
        self._random = np.random.default_rng()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vector, dict[str, Any]]:  # noqa: ARG002
        """See `Env.reset`; the point starts anywhere in the square."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._position = self._random.uniform(-1, 1, 2).astype(np.float32)
        self._steps = 0
        return self._position.copy(), {"is_success": self._solved()}

    def step(self, action: Vector) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """See `Env.step`."""
        self._position = np.clip(self._position + np.float32(0.1) * np.clip(action, -1, 1), -1, 1).astype(np.float32)
        self._steps += 1
        solved = self._solved()
        reward = -float(np.linalg.norm(self._position))
        return self._position.copy(), reward, solved, self._steps >= self.config.max_steps, {"is_success": solved}

    def render(self) -> npt.NDArray[np.uint8]:
        """See `Env.render`; `(64, 64, 3)`, the point is white."""
        picture = np.zeros((64, 64, 3), np.uint8)
        column, row = ((self._position + 1) / 2 * 63).round().astype(int)
        picture[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = 255
        return picture

    def close(self) -> None:
        """See `Env.close`; nothing is held."""

    def _solved(self) -> bool:
        return bool(np.linalg.norm(self._position) < 0.05)
