"""gym-pusht as this ecosystem's environments are: described, cut off, repeatable to the last picture."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gym_pusht.envs.pusht import PushTEnv, pymunk_to_shapely
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.pusht.config import PushTConfig

TABLE = 512
"""Side of the table, in the simulation's unit."""

KEYPOINTS = 8
"""Corners of the two rectangles the block is made of."""

PARTS = {
    "pixels_agent_pos": ("pixels", "agent_pos"),
    "environment_state_agent_pos": ("environment_state", "agent_pos"),
    "pixels": ("pixels",),
}
"""What an observation has, by `obs_type`; `state` is one array."""


class PushT(PushTEnv):  # type: ignore[misc] # gym-pusht ships no types
    """An agent, a disc, pushes a T-shaped block onto its outline.

    An action is the place `(2,)` float32 the agent heads for, in [0, 512]. Observations by `obs_type`, places in
    [0, 512] on the table and float64:

    - `pixels_agent_pos`: `pixels` `(H, W, 3)` uint8 RGB and `agent_pos` `(2,)`;
    - `environment_state_agent_pos`: `environment_state` `(16,)`, the block's corners x0, y0, x1, ..., and `agent_pos`;
    - `pixels`: the picture alone;
    - `state`: `(5,)`: the agent's x and y, the block's x, y and angle in rad.

    The reward is the part of the outline that is covered, 1 from 95 % on; then the task is solved and the episode ends.
    `reset(options={"reset_to_state": (5,)})` starts from a state as gym-pusht defines it.

    Args:
        config: see `PushTConfig`.

    Source:
        Florence et al. 2021, Implicit Behavioral Cloning, arXiv:2109.00137; Chi et al. 2023, Diffusion Policy,
        arXiv:2303.04137.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    task_description = "Push the T-shaped block onto the T-shaped target."

    def __init__(self, config: PushTConfig | None = None) -> None:
        self.config = config or PushTConfig()
        # The simulation takes its control rate from here.
        self.metadata = {**type(self).metadata, "render_fps": self.config.fps}  # type: ignore[misc]
        super().__init__(
            obs_type=self.config.obs_type,
            render_mode=self.config.render_mode,
            observation_width=self.config.observation_width,
            observation_height=self.config.observation_height,
            visualization_width=self.config.visualization_width,
            visualization_height=self.config.visualization_height,
        )
        self.observation_space = _observation_space(self.config)
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the start depends on the seed alone, or is the given state."""
        self._steps = 0
        # Pictures show where the last action points to.
        self._last_action = None
        observation, info = super().reset(seed=seed, options=options)
        return self._named(observation), info

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Head for a place for one period.

        Raises:
            LeRobotError: the action is not finite; the agent would be nowhere from then on.
        """
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        observation, reward, terminated, _, info = super().step(action)
        self._steps += 1
        truncated = not terminated and self._steps >= self.config.episode_length
        return self._named(observation), float(reward), bool(terminated), truncated, info

    def _get_coverage(self) -> float:
        """Covered part of the outline; a body's own set of shapes has another order, and sum, in every process."""
        outline = pymunk_to_shapely(self.get_goal_pose_body(self.goal_pose), self._block_shapes)
        block = pymunk_to_shapely(self.block, self._block_shapes)
        return float(outline.intersection(block).area / outline.area)

    def _named(self, observation: Any) -> Any:
        """A picture alone gets its name, or it would pass for a state."""
        return {"pixels": observation} if self.config.obs_type == "pixels" else observation


def _observation_space(config: PushTConfig) -> gymnasium.Space[Any]:
    if config.obs_type == "state":
        places = _places(4)
        low, high = np.append(places.low, 0.0), np.append(places.high, 2 * np.pi)
        return gymnasium.spaces.Box(low, high, dtype=np.float64)
    shape = (config.observation_height, config.observation_width, 3)
    spaces = {
        "pixels": gymnasium.spaces.Box(0, 255, shape, np.uint8),
        "agent_pos": _places(2),
        "environment_state": _places(2 * KEYPOINTS),
    }
    return gymnasium.spaces.Dict({name: spaces[name] for name in PARTS[config.obs_type]})


def _places(count: int) -> gymnasium.spaces.Box:
    """Room for places beyond the edge: no wall stops the agent, which swings over, and it can take the block along."""
    return gymnasium.spaces.Box(-TABLE, 2 * TABLE, (count,), np.float64)
