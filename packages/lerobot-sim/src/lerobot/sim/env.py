"""The tasks as gymnasium environments: the world, units and cameras of the simulated robot."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.config import SimEnvConfig
from lerobot.sim.joints import KEYS, features, to_angles, to_units
from lerobot.sim.rendering import Pictures
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

_READINGS = {"deg": (-180.0, 180.0), "m100": (-100.0, 100.0), "percent": (0.0, 100.0)}
"""What a reading can be, by unit: a little more than a command, for joints give way at their limits."""


class SimEnv(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """One task at a simulated SO-101.

    An action is a target per joint, in the units and order of the robot's features, so a policy trained on recordings
    of `sim_so101` needs no change. An observation has `agent_pos`, the measured joints `(6,)` float32 in the same
    units, and `pixels`, one `(H, W, 3)` uint8 RGB picture per camera by its name. If that is wished,
    `environment_state` says where the objects of `World.objects` are, `(3 * n,)` float32 in metres.

    The start of an episode depends on its seed and number alone: `reset(seed=s)` is episode 0 of seed `s`, every
    `reset()` after it the next one, and `options={"episode": k}` chooses. An episode ends when the task is solved.

    Args:
        config: see `SimEnvConfig`.
        render_mode: `"rgb_array"` or None; pictures can be rendered either way.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 30}  # type: ignore[misc]

    def __init__(self, config: SimEnvConfig | None = None, *, render_mode: str | None = "rgb_array") -> None:
        self.config = config or SimEnvConfig()
        self.render_mode = render_mode
        self.metadata = {**type(self).metadata, "render_fps": self.config.fps}  # type: ignore[misc]
        self.world = World(
            TASKS[self.config.task](), latency_s=self.config.latency_s, randomization=self.config.randomization
        )
        self._pictures = Pictures(self.world, self.config.renderer)
        self._features = features(degrees=self.config.use_degrees)
        self._steps = 0
        self._numbered = False
        self._solved = False
        self._low, self._high = np.array([feature.range for feature in self._features.values()], np.float32).T
        self.action_space = gymnasium.spaces.Box(self._low, self._high, dtype=np.float32)
        units = [feature.unit for feature in self._features.values()]
        self.observation_space = _observation_space(self.config, units, len(self.world.objects))

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.world.task.name

    @property
    def task_description(self) -> str:
        """The task in words."""
        return self.world.task.description

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; see the class for what decides how."""
        super().reset(seed=seed)
        episode = (options or {}).get("episode")
        if seed is None and episode is None and self._numbered:
            episode = self.world.episode + 1
        self.world.reset(seed=seed, episode=episode)
        self._numbered = True
        self._steps = 0
        self._solved = self.world.task.solved(self.world)
        return self._observation(), {**self._info(), "randomization": dict(self.world.randomization.values)}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Command the joints for one period, `(6,)` in the robot's units; targets out of range go to its end."""
        clipped = np.clip(action, self._low, self._high).astype(np.float64)
        self.world.command(to_angles(clipped.tolist(), degrees=self.config.use_degrees))
        self._steps += 1
        # Absolute times, so that rates that are no whole number of physics steps do not drift.
        self.world.advance(self._steps / self.config.fps - self.world.elapsed_s)
        self._solved = self.world.task.solved(self.world)
        dense = self.config.reward == "dense"
        reward = self.world.task.reward(self.world) if dense else float(self._solved)
        truncated = not self._solved and self._steps >= self.config.episode_length
        return self._observation(), reward, self._solved, truncated, self._info()

    def render(self) -> NDArray[np.uint8] | None:
        """What the first camera sees, `(H, W, 3)` uint8 RGB in the size for rendering; the front without cameras."""
        if self.render_mode is None:
            return None
        view = self.config.cameras[0] if self.config.cameras else "front"
        size = self.config.render_width or self.config.width, self.config.render_height or self.config.height
        return self._pictures.render(view, *size)

    def close(self) -> None:
        """Release the renderer."""
        self._pictures.close()

    def _observation(self) -> dict[str, Any]:
        readings = to_units(self.world.joint_readings, degrees=self.config.use_degrees)
        observation: dict[str, Any] = {"agent_pos": np.array([readings[key] for key in KEYS], np.float32)}
        if self.config.objects:
            places = [self.world.position(name) for name in self.world.objects]
            observation["environment_state"] = np.concatenate(places).astype(np.float32)
        if self.config.cameras:
            observation["pixels"] = {
                name: self._pictures.render(name, self.config.width, self.config.height) for name in self.config.cameras
            }
        return observation

    def _info(self) -> dict[str, Any]:
        return {"is_success": self._solved, "task": self.task, "seed": self.world.seed, "episode": self.world.episode}


def _observation_space(config: SimEnvConfig, units: list[str | None], objects: int) -> gymnasium.spaces.Dict:
    low, high = np.array([_READINGS[unit or ""] for unit in units], np.float32).T
    spaces: dict[str, gymnasium.Space[Any]] = {"agent_pos": gymnasium.spaces.Box(low, high, dtype=np.float32)}
    if config.objects:
        spaces["environment_state"] = gymnasium.spaces.Box(-np.inf, np.inf, (3 * objects,), np.float32)
    shape = (config.height, config.width, 3)
    cameras: dict[str, gymnasium.Space[Any]] = {
        name: gymnasium.spaces.Box(0, 255, shape, np.uint8) for name in config.cameras
    }
    if cameras:
        spaces["pixels"] = gymnasium.spaces.Dict(cameras)
    return gymnasium.spaces.Dict(spaces)
