"""{{ cookiecutter.title }}: push a point to a goal. YOURS: replace the physics, keep the signatures."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config

Vector = npt.NDArray[np.float32]

STEP_M = 0.05
"""How far the point moves at full speed, per step."""


class {{ cookiecutter.class_name }}(gymnasium.Env[Vector, Vector]):
    """A point in a square of 2 m.

    Observation: point and goal, `(4,)` float32, m. Action: velocity `(2,)` float32 in [-1, 1].
    Reward: minus the distance to the goal, m.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`; the default if None.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 10, "render_modes": ["rgb_array"]}  # type: ignore[misc]
    render_mode = "rgb_array"
    task_description = "Push the point to the goal."

    def __init__(self, config: {{ cookiecutter.class_name }}Config | None = None) -> None:
        self.config = config or {{ cookiecutter.class_name }}Config()
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._point: Vector = np.zeros(2, np.float32)
        self._goal: Vector = np.zeros(2, np.float32)
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vector, dict[str, Any]]:
        """Put point and goal anywhere; the start depends on the seed alone."""
        super().reset(seed=seed, options=options)
        self._point, self._goal = self.np_random.uniform(-1, 1, (2, 2)).astype(np.float32)
        self._steps = 0
        return self._observation(), {"is_success": self._solved()}

    def step(self, action: Vector) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """Move the point."""
        moved = self._point + np.float32(STEP_M) * np.clip(action, -1, 1)
        self._point = np.clip(moved, -1, 1).astype(np.float32)
        self._steps += 1
        solved = self._solved()
        reward = -float(np.linalg.norm(self._point - self._goal))
        return self._observation(), reward, solved, self._steps >= self.config.max_steps, {"is_success": solved}

    def render(self) -> npt.NDArray[np.uint8]:
        """Draw the goal green and the point white, `(96, 96, 3)` uint8."""
        picture = np.zeros((96, 96, 3), np.uint8)
        for place, colour in ((self._goal, (0, 255, 0)), (self._point, (255, 255, 255))):
            column, row = ((place + 1) / 2 * 95).round().astype(int)
            picture[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = colour
        return picture

    def _observation(self) -> Vector:
        return np.concatenate([self._point, self._goal])

    def _solved(self) -> bool:
        return bool(np.linalg.norm(self._point - self._goal) < self.config.success_radius)
