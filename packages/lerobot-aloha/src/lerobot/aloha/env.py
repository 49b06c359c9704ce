"""gym-aloha's physics, scenes and rewards as an environment that renders only what is seen.

Import it through `making`: dm_control, imported here, opens the display at once.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from dm_control import mujoco
from gym_aloha.constants import ASSETS_DIR
from gym_aloha.tasks.sim import BOX_POSE, InsertionTask, TransferCubeTask
from gym_aloha.utils import sample_box_pose, sample_insertion_pose
from numpy.typing import NDArray

from lerobot.aloha.config import PHYSICS_HZ, AlohaConfig
from lerobot.core.errors import LeRobotError

SOLVED = 4
"""Reward of a solved task, the highest of both."""

CAMERA = "top"

_SCENES = {"AlohaInsertion-v0": "insertion", "AlohaTransferCube-v0": "transfer_cube"}
_TASKS = {"AlohaInsertion-v0": InsertionTask, "AlohaTransferCube-v0": TransferCubeTask}
_DESCRIPTIONS = {
    "AlohaInsertion-v0": "Insert the peg into the socket.",
    "AlohaTransferCube-v0": "Pick up the cube with the right arm and transfer it to the left arm.",
}


class Aloha(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """Two ViperX arms over a table.

    An action is `(14,)` float32: per arm, left first, six joint targets in rad and the gripper, 0 closed to 1 open. An
    observation has `pixels`, with the picture `top` `(H, W, 3)` uint8 RGB, and `agent_pos` `(14,)` float64, the
    measured joints in the same order and units; with `obs_type` `pixels` it is `top` alone.

    The reward rises with the stages of a task: 1 touched, 2 lifted (cube) or both grasped, 3 handed over or peg meets
    socket, 4 solved: the left gripper holds the cube above the table, or the peg touches the pin in the socket. A
    solved task ends the episode.

    Args:
        config: see `AlohaConfig`.

    Source:
        Zhao et al. 2023, Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware, arXiv:2304.13705.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 50}  # type: ignore[misc]

    def __init__(self, config: AlohaConfig | None = None) -> None:
        self.config = config or AlohaConfig()
        self.render_mode = self.config.render_mode
        self.metadata = {**type(self).metadata, "render_fps": self.config.fps}  # type: ignore[misc]
        scene = ASSETS_DIR / f"bimanual_viperx_{_SCENES[self.config.task]}.xml"
        self._physics = mujoco.Physics.from_xml_path(str(scene))
        if self.config.quality == "fast":
            # Read when the first picture makes the OpenGL context.
            self._physics.model.vis.quality.shadowsize = 0
            self._physics.model.vis.quality.offsamples = 0
        self._flags = {"shadow": self.config.quality == "full"}
        self._task = _TASKS[self.config.task]()
        self._steps = 0
        self._picture: NDArray[np.uint8] | None = None
        self.action_space = gymnasium.spaces.Box(*_targets(self._physics), dtype=np.float32)
        self.observation_space = _observation_space(self.config)

    @property
    def task_description(self) -> str:
        """The task in words."""
        return _DESCRIPTIONS[self.config.task]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; the places of the objects depend on the seed alone."""
        super().reset(seed=seed, options=options)
        if seed is None:
            seed = int(self.np_random.integers(2**32))
        # gym-aloha's tasks take the places of the objects from this list.
        BOX_POSE[0] = (
            sample_box_pose(seed)
            if self.config.task == "AlohaTransferCube-v0"
            else np.concatenate(sample_insertion_pose(seed))
        )
        with self._physics.reset_context():
            self._task.initialize_episode(self._physics)
        self._steps, self._picture = 0, None
        return self._observation(), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Command both arms for one period; targets out of range go to its end.

        Raises:
            LeRobotError: the action is not finite.
        """
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        self._task.before_step(action, self._physics)
        self._physics.step(PHYSICS_HZ // self.config.fps)
        self._steps, self._picture = self._steps + 1, None
        reward = self._task.get_reward(self._physics)
        solved = reward == SOLVED
        truncated = not solved and self._steps >= self.config.episode_length
        return self._observation(), float(reward), solved, truncated, {"is_success": solved}

    def render(self) -> NDArray[np.uint8]:
        """The picture from above, `(H, W, 3)` uint8 RGB."""
        if self._picture is None:
            height, width = self.config.observation_height, self.config.observation_width
            self._picture = self._physics.render(height, width, camera_id=CAMERA, render_flag_overrides=self._flags)
        return self._picture.copy()

    def close(self) -> None:
        """Release the OpenGL context."""
        self._physics.free()

    def _observation(self) -> dict[str, Any]:
        pictures = {CAMERA: self.render()}
        if self.config.obs_type == "pixels":
            return pictures
        return {"pixels": pictures, "agent_pos": self._task.get_qpos(self._physics)}


def _targets(physics: mujoco.Physics) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ends of the joints' targets: the actuators' own, two of which are the fingers of one gripper."""
    low, high = physics.model.actuator_ctrlrange.T.astype(np.float32)
    fingers = [6, 14]
    low[fingers], high[fingers] = 0.0, 1.0
    return np.delete(low, [7, 15]), np.delete(high, [7, 15])


def _observation_space(config: AlohaConfig) -> gymnasium.spaces.Dict:
    shape = (config.observation_height, config.observation_width, 3)
    pictures = gymnasium.spaces.Dict({CAMERA: gymnasium.spaces.Box(0, 255, shape, np.uint8)})
    if config.obs_type == "pixels":
        return pictures
    # Joints give way at their limits, and turn about more than once at none.
    joints = gymnasium.spaces.Box(-2 * np.pi, 2 * np.pi, (14,), np.float64)
    return gymnasium.spaces.Dict({"pixels": pictures, "agent_pos": joints})
