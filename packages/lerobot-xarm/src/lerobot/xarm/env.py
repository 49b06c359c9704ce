"""The xArm's task as an environment."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.envs.offscreen import Offscreen
from lerobot.xarm.config import XArmConfig
from lerobot.xarm.model_files import scene_file
from lerobot.xarm.scene import TABLE, Scene
from lerobot.xarm.task import Lift, ReferenceLift

CAMERA = "camera0"

STATE = 28
"""Numbers of `obs_type` `state`."""


class XArm(gymnasium.Env[Any, NDArray[np.float32]]):
    """An xArm 7 lifts a cube off a table.

    An action is `(4,)` float32 in [-1, 1]: where the hand goes along x, y and z, and the gripper's force, 1 to close.
    Observations by `obs_type`: `pixels` `(H, W, 3)` uint8 RGB; `agent_pos` `(4,)` float64, the hand's place in m and
    the gripper's angle in rad, 0 open to 0.85 closed; `state` is one array `(28,)`, see `Scene.state`.

    The task is solved when the cube is 15 cm above its start; the episode ends.

    Args:
        config: see `XArmConfig`.

    Source:
        Hansen et al. 2022, Temporal Difference Learning for Model Predictive Control, arXiv:2203.04955; gym-xarm 0.1.1.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 15}  # type: ignore[misc]
    action_names: ClassVar[tuple[str, ...]] = ("delta_x", "delta_y", "delta_z", "gripper")

    task_description = "Lift the cube."

    def __init__(self, config: XArmConfig | None = None) -> None:
        self.config = config or XArmConfig()
        self.render_mode = self.config.render_mode
        # Two targets of 20 physics steps come nearest to what the recorded hands do; gym-xarm takes 2 steps.
        physics_steps, targets = (2, 1) if self.config.reference else (20, 2)
        self.scene = Scene(scene_file(), physics_steps=physics_steps, targets=targets)
        self._task = ReferenceLift() if self.config.reference else Lift()
        self._seen = Offscreen(self.scene.model, self.config.observation_width, self.config.observation_height)
        self._shown = Offscreen(self.scene.model, self.config.visualization_width, self.config.visualization_height)
        self._steps = 0
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.observation_space = _observation_space(self.config)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; places of hand and cube depend on the seed alone."""
        super().reset(seed=seed, options=options)
        self.scene.start(self.np_random)
        self._steps = 0
        return self._observation(), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move for one period; what is out of range goes to its end.

        Raises:
            LeRobotError: the action is not finite.
        """
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        wanted = np.clip(action, -1, 1).astype(np.float32)
        self.scene.move(wanted)
        self._steps += 1
        solved = self._task.solved(self.scene)
        reward = self._task.reward(self.scene, float(wanted[3]))
        truncated = not solved and self._steps >= self.config.episode_length
        return self._observation(), reward, solved, truncated, {"is_success": solved}

    def render(self) -> NDArray[np.uint8]:
        """The picture for a video, `(H, W, 3)` uint8 RGB."""
        return self._shown.picture(self.scene.data, CAMERA)

    def close(self) -> None:
        """Release the OpenGL contexts."""
        self._seen.close()
        self._shown.close()

    def _observation(self) -> Any:
        if self.config.obs_type == "state":
            return self.scene.state(self._task.target(self.scene))
        observation: dict[str, Any] = {"pixels": self._seen.picture(self.scene.data, CAMERA)}
        if self.config.obs_type == "pixels_agent_pos":
            # gym-xarm takes the table's centre off twice; the recordings have the place itself.
            origin = 2 * TABLE if self.config.reference else 0.0
            observation["agent_pos"] = np.append(self.scene.hand - origin, self.scene.gripper)
        return observation


def _observation_space(config: XArmConfig) -> gymnasium.Space[Any]:
    if config.obs_type == "state":
        return _numbers(STATE)
    pixels = gymnasium.spaces.Box(0, 255, (config.observation_height, config.observation_width, 3), np.uint8)
    spaces: dict[str, gymnasium.Space[Any]] = {"pixels": pixels}
    if config.obs_type == "pixels_agent_pos":
        spaces["agent_pos"] = _numbers(4)
    return gymnasium.spaces.Dict(spaces)


def _numbers(count: int) -> gymnasium.spaces.Box:
    """Room for everything that physics may make of a cube that is thrown."""
    return gymnasium.spaces.Box(-1000.0, 1000.0, (count,), np.float64)
