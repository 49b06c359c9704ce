"""One task of LIBERO: its scene and its goal as LIBERO makes them, pictures and starts as this ecosystem has them."""

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.envs.offscreen import Offscreen
from lerobot.libero.assets import find_assets
from lerobot.libero.config import LiberoConfig
from lerobot.libero.hands import HANDS_NUMBERS, SCENE, hand_action, state_of_columns
from lerobot.libero.init_states import read_init_states
from lerobot.libero.observation import rotated, state_vector
from lerobot.libero.package import problems, suite_tasks, using_assets
from lerobot.libero.suites import SUITES

WAITING_STEPS = 10
"""Steps at the start of an episode in which things come to rest, with the hand open."""

WAIT = np.array([0, 0, 0, 0, 0, 0, -1], np.float64)

COLLISION_SHAPES = 0
"""Group of the shapes that touch and are not drawn."""

_STATE = ("robot0_eef_pos", "robot0_eef_quat", "robot0_gripper_qpos")


class Libero(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """A Panda arm that is told what to do.

    An action is `(7,)` float32. Relative: the hand's move, x, y and z in [-1, 1] for up to 0.05 m and the turn about
    these axes in [-1, 1] for up to 0.5 rad. Absolute: where the hand shall be, in m, and its turn as an axis times the
    angle in rad. Last the gripper, -1 open to 1 closed.

    An observation has `pixels`, `(H, W, 3)` uint8 RGB by name, turned by 180 degrees as the datasets' are, and
    `agent_pos` `(8,)` float32: the hand's place in m, its turn as an axis times the angle in rad, the two fingers in m;
    with `obs_type` `pixels` it has the pictures alone.

    With `turns` `columns`, as X-VLA was taught, an action is `(20,)`: the hand's place, the first two columns of its
    turn's matrix, the gripper, 0 open to 1 closed; the rest is of a second hand, which is not here. `agent_pos` `(20,)`
    has the same, with a 0 for the gripper, and only the first camera's picture is turned.

    The reward is 1 when the goal is reached, which ends the episode, and 0 before. The episode of seed `s` starts from
    the benchmark's start number `s`, counted round; what these starts leave open is drawn from `s`.

    Args:
        config: see `LiberoConfig`; of one task.

    Raises:
        LeRobotError: LIBERO's files or some of its assets are not here, or there is no such camera.

    Source:
        Liu et al. 2023, LIBERO: Benchmarking Knowledge Transfer for Lifelong Robot Learning, arXiv:2306.03310.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 20}  # type: ignore[misc]

    def __init__(self, config: LiberoConfig) -> None:
        self.config = config
        self.render_mode = config.render_mode
        self.metadata = {**type(self).metadata, "render_fps": config.fps}  # type: ignore[misc]
        ((self.suite, numbers),) = config.tasks().items()
        (self.number,) = numbers
        self._task = suite_tasks(self.suite)[self.number]
        self._starts = read_init_states(self._task.init_states) if config.init_states else None
        self._max_steps = config.episode_length or SUITES[self.suite].max_steps
        self._assets = find_assets(config.assets)
        self._scene = self._build()
        self._drawing: Offscreen | None = None
        self._drawn_model: Any = None
        self._columns = config.turns == "columns"
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._steps = 0
        self.action_space = _action_space(config)
        self.observation_space = _observation_space(config)

    @property
    def task_description(self) -> str:
        """The task in words."""
        return self._task.language

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; it depends on the seed alone."""
        super().reset(seed=seed, options=options)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        scene = self._scene
        with self._building(), _drawn_from(seed):
            scene.reset()
        for robot in scene.robots:
            # It goes on from the episode before where the scene is put back.
            robot.gripper.current_action = np.zeros(robot.gripper.dof)
        if self._starts is not None:
            scene.sim.set_state_from_flattened(self._starts[seed % len(self._starts)])
            scene.sim.forward()
            # What follows from the state: burners that glow, and what is measured.
            scene._check_success()
            scene._post_process()
            scene._update_observables(force=True)
        for _ in range(WAITING_STEPS):
            measured = scene.step(WAIT)[0]
        if self.config.control_mode == "absolute":
            for robot in scene.robots:
                robot.controller.use_delta = False
        self._steps = 0
        self._see()
        return self._observation(measured), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act for one period.

        Raises:
            LeRobotError: the action is not finite.
        """
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        given = np.asarray(action, np.float64)
        measured, reward, solved, _ = self._scene.step(hand_action(given) if self._columns else given)
        self._steps += 1
        self._see()
        truncated = not solved and self._steps >= self._max_steps
        return self._observation(measured), float(reward), bool(solved), truncated, {"is_success": bool(solved)}

    def render(self) -> NDArray[np.uint8]:
        """What the first camera sees, turned like the observation, `(H, W, 3)` uint8 RGB."""
        return self._pictures[next(iter(self.config.pictures.values()))].copy()

    def close(self) -> None:
        """Release the OpenGL context."""
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None

    def _build(self) -> Any:
        """LIBERO's scene of the task; nothing of it draws."""
        classes = problems()
        from bddl.parsing import scan_tokens
        from robosuite import load_controller_config

        problem = next(part[1] for part in scan_tokens(filename=str(self._task.bddl)) if part[:1] == ["problem"])
        with self._building(), _drawn_from(0):
            return classes[problem.lower()](
                str(self._task.bddl),
                robots=["Panda"],
                controller_configs=load_controller_config(default_controller="OSC_POSE"),
                gripper_types="default",
                initialization_noise=None,
                use_camera_obs=False,
                has_renderer=False,
                has_offscreen_renderer=False,
                control_freq=self.config.fps,
                ignore_done=True,
                hard_reset=self.config.hard_reset,
            )

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Scenes built inside the block take their parts from the assets; says which part is missing."""
        try:
            with using_assets(self._assets):
                yield
        except FileNotFoundError as error:
            raise _missing(str(error.filename)) from error
        except ValueError as error:
            if not (found := re.search(r"[Ee]rror opening file '([^']+)'", str(error))):
                raise
            raise _missing(found[1]) from error

    def _see(self) -> None:
        model, data = self._scene.sim.model._model, self._scene.sim.data._data
        if self._drawing is None or self._drawn_model is not model:
            self.close()
            height, width, fast = self.config.observation_height, self.config.observation_width, self.config.quality
            self._drawing = Offscreen(model, width, height, fast=fast == "fast", hidden=(COLLISION_SHAPES,))
            self._drawn_model = model
            _check_cameras(self.config, [model.camera(index).name for index in range(model.ncam)])
        pictures = {name: self._drawing.picture(data, camera)[::-1] for camera, name in self.config.pictures.items()}
        self._pictures = {
            name: picture if self._columns and name != SCENE else rotated(picture) for name, picture in pictures.items()
        }

    def _observation(self, measured: dict[str, Any]) -> dict[str, Any]:
        pictures = {name: picture.copy() for name, picture in self._pictures.items()}
        if self.config.obs_type == "pixels":
            return {"pixels": pictures}
        if self._columns:
            matrix = self._scene.robots[0].controller.ee_ori_mat
            return {"pixels": pictures, "agent_pos": state_of_columns(measured[_STATE[0]], matrix)}
        return {"pixels": pictures, "agent_pos": state_vector(*(measured[name] for name in _STATE))}


@contextmanager
def _drawn_from(seed: int) -> Iterator[None]:
    """Let robosuite, which draws from numpy's process-wide numbers, draw from a seed; then put them back."""
    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(before)


def _missing(file: str) -> LeRobotError:
    return LeRobotError(f"LIBERO's file {file} is missing", expected="a complete folder of assets; see --env.assets")


def _check_cameras(config: LiberoConfig, cameras: list[str]) -> None:
    for camera in config.pictures:
        if camera not in cameras:
            near = difflib.get_close_matches(camera, cameras, n=1)
            hint = f"Did you mean {near[0]}_image?" if near else f"There are {', '.join(cameras)}."
            raise LeRobotError(f"LIBERO has no camera {camera!r}", expected="--env.camera_name of cameras", hint=hint)


def _action_space(config: LiberoConfig) -> gymnasium.Space[NDArray[np.float32]]:
    # The arm reaches less than 2 m from the middle of the scene, and no turn is more than half a one.
    absolute = np.array([2, 2, 2, np.pi, np.pi, np.pi, 1], np.float32)
    ends = np.ones(7, np.float32) if config.control_mode == "relative" else absolute
    if config.turns == "columns":
        ends = np.full(HANDS_NUMBERS, 2, np.float32)
    space: Any = gymnasium.spaces.Box(-ends, ends, dtype=np.float32)
    checked: gymnasium.Space[NDArray[np.float32]] = space
    return checked


def _observation_space(config: LiberoConfig) -> gymnasium.spaces.Dict:
    shape = (config.observation_height, config.observation_width, 3)
    picture: dict[str, gymnasium.Space[Any]] = {
        name: gymnasium.spaces.Box(0, 255, shape, np.uint8) for name in config.pictures.values()
    }
    pictures = gymnasium.spaces.Dict(picture)
    if config.obs_type == "pixels":
        return gymnasium.spaces.Dict({"pixels": pictures})
    # Things the hand meets push it; the space says what can be represented, not what is likely.
    numbers = HANDS_NUMBERS if config.turns == "columns" else 8
    state = gymnasium.spaces.Box(-2 * np.pi, 2 * np.pi, (numbers,), np.float32)
    return gymnasium.spaces.Dict({"pixels": pictures, "agent_pos": state})
