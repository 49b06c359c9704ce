"""gym-hil's arm, scenes and controller as an environment that renders only what is seen."""

from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import mujoco
import numpy as np
from numpy.typing import NDArray

import gym_hil
from gym_hil.controllers import opspace
from lerobot.core.errors import LeRobotError
from lerobot.envs.offscreen import Offscreen
from lerobot.gym_hil.actions import SevenNumbers, StepsAndGripper
from lerobot.gym_hil.config import GymHilConfig
from lerobot.gym_hil.person import Person, Said
from lerobot.gym_hil.tasks import ArrangeBoxes, PickCube, Task

PHYSICS_HZ = 500
"""Physics steps per second, as gym-hil has them."""

GRIPPER = 255.0
"""Command of a gripper that is all the way closed."""

CAMERAS = {"front": "front", "wrist": "handcam_rgb"}
"""Cameras of the scene by what their pictures are called."""


class GymHil(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """A Franka Panda with a two-finger gripper over a table.

    An observation has `agent_pos` `(18,)` float32: seven joints in rad, their speeds in rad/s, the gripper's command
    from 0 open to 255 closed, and the place of the hand in m. Beside it stand `pixels`, `front` and `wrist`
    `(H, W, 3)` uint8 RGB, or `environment_state` `(3,)` float32, the place of the first block.

    An action is that of `StepsAndGripper`, in the tasks `Base` and `Viewer` of `SevenNumbers`.

    Info has `is_success` and gym-hil's `succeed`; with a gripper `discrete_penalty`; with a person `is_intervention`,
    `teleop_action` (what was done), `rerecord_episode` and, in the last step, `next.success` (what the person says).

    Args:
        config: see `GymHilConfig`.
        person: who may take over.

    Source:
        https://github.com/huggingface/gym-hil 0.1.14; Luo et al. 2024, arXiv:2410.21845.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}  # type: ignore[misc]

    def __init__(self, config: GymHilConfig | None = None, *, person: Person | None = None) -> None:
        self.config = config or GymHilConfig()
        self.render_mode = self.config.render_mode
        self._task = _task(self.config)
        self._model = mujoco.MjModel.from_xml_path(str(Path(gym_hil.__file__).parent / "assets" / self._task.scene))
        self._model.opt.timestep = 1 / PHYSICS_HZ
        self._data = mujoco.MjData(self._model)
        self._joints = np.array([self._model.joint(f"joint{number}").dofadr[0] for number in range(1, 8)])
        self._motors = np.array([self._model.actuator(f"actuator{number}").id for number in range(1, 8)])
        self._fingers = self._model.actuator("fingers_actuator").id
        self._hand = self._model.site("pinch").id
        self._commands = StepsAndGripper(self.config) if self.config.is_wrapped else SevenNumbers()
        self._person = person
        height, width = self.config.observation_height, self.config.observation_width
        self._pictures = Offscreen(self._model, width, height, fast=self.config.quality == "fast")
        self._window: Any = None
        self._steps = 0
        self.action_space = self._commands.space
        self.observation_space = _observation_space(self.config)

    @property
    def task_description(self) -> str:
        """The task in words."""
        return self._task.description

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; the places of the blocks depend on the seed alone."""
        super().reset(seed=seed, options=options)
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[self._joints] = self._task.home
        mujoco.mj_forward(self._model, self._data)
        self._data.mocap_pos[0] = self._data.sensor("2f85/pinch_pos").data
        self._task.place(self._data, self.np_random)
        mujoco.mj_forward(self._model, self._data)
        self._task.begin(self._data)
        self._steps = 0
        if self._person is not None:
            self._person.start()
        self._show()
        return self._observation(), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move for one period, as the person says if they have taken over.

        Raises:
            LeRobotError: the action is not finite.
        """
        said = self._person.read() if self._person is not None else Said()
        if said.action is not None:
            action = said.action
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        way, grip = self._commands.command(action)
        info: dict[str, Any] = {"discrete_penalty": self._commands.penalty(grip, self._gripper / GRIPPER)}
        self._move(way, grip)
        self._steps += 1
        self._show()
        reward, solved = self._judge()
        if said.success:
            reward, solved = 1.0, True
        ended = solved or said.ended or self._task.is_lost(self._data)
        truncated = not ended and self._steps >= self.config.episode_length
        info |= {"is_success": solved, "succeed": solved}
        if self._person is not None:
            info |= {
                "is_intervention": said.action is not None,
                "teleop_action": action,
                "rerecord_episode": said.rerecord,
            }
            if ended or truncated:
                info["next.success"] = said.success
        return self._observation(), reward, ended, truncated, info

    def render(self) -> NDArray[np.uint8]:
        """The picture from the front, `(H, W, 3)` uint8 RGB."""
        return self._pictures.picture(self._data, CAMERAS["front"])

    def close(self) -> None:
        """Close the window, release the OpenGL context and let go of the teleoperator."""
        if self._person is not None:
            self._person.close()
        if self._window is not None:
            self._window.close()
            self._window = None
        self._pictures.close()

    @property
    def _gripper(self) -> float:
        return float(self._data.ctrl[self._fingers])

    def _move(self, way: NDArray[np.float64], grip: float) -> None:
        """Set the hand's target and the gripper, and let gym-hil's controller pull the hand there."""
        target = self._data.mocap_pos[0]
        target[:] = np.clip(target + way, *self._task.workspace)
        self._data.ctrl[self._fingers] = GRIPPER * np.clip(self._gripper / GRIPPER + grip, 0.0, 1.0)
        for _ in range(PHYSICS_HZ // self.config.fps):
            self._data.ctrl[self._motors] = opspace(
                model=self._model,
                data=self._data,
                site_id=self._hand,
                dof_ids=self._joints,
                pos=target,
                ori=self._data.mocap_quat[0],
                joint=self._task.home,
                gravity_comp=True,
            )
            mujoco.mj_step(self._model, self._data)

    def _judge(self) -> tuple[float, bool]:
        if self.config.reward_type == "dense":
            return self._task.dense_reward(self._data), self._task.is_finished(self._data)
        reward = self._task.sparse_reward(self._data)
        return reward, reward == 1.0

    def _observation(self) -> dict[str, Any]:
        data = self._data
        gripper, place = [self._gripper], data.sensor("2f85/pinch_pos").data
        arm = np.concatenate([data.qpos[self._joints], data.qvel[self._joints], gripper, place]).astype(np.float32)
        if self.config.obs_type == "environment_state_agent_pos":
            return {"agent_pos": arm, "environment_state": self._task.block(data).astype(np.float32)}
        return {
            "pixels": {name: self._pictures.picture(data, camera) for name, camera in CAMERAS.items()},
            "agent_pos": arm,
        }

    def _show(self) -> None:
        if not self.config.has_window:
            return
        if self._window is None:
            from mujoco import viewer

            self._window = viewer.launch_passive(self._model, self._data)
        self._window.sync()


def _task(config: GymHilConfig) -> Task:
    if config.scene == "PandaPickCube":
        return PickCube(random_position=config.random_block_position)
    return ArrangeBoxes()


def _observation_space(config: GymHilConfig) -> gymnasium.spaces.Dict:
    numbers = {"agent_pos": gymnasium.spaces.Box(-np.inf, np.inf, (18,), np.float32)}
    if config.obs_type == "environment_state_agent_pos":
        numbers["environment_state"] = gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float32)
        return gymnasium.spaces.Dict(dict(numbers))
    shape = (config.observation_height, config.observation_width, 3)
    pictures = gymnasium.spaces.Dict({name: gymnasium.spaces.Box(0, 255, shape, np.uint8) for name in CAMERAS})
    return gymnasium.spaces.Dict({"pixels": pictures, **numbers})
