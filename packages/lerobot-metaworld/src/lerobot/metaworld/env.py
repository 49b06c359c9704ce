"""Meta-World's simulations as an environment that renders only what is seen."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.envs.offscreen import Offscreen
from lerobot.metaworld.config import MetaworldConfig
from lerobot.metaworld.tasks import DESCRIPTIONS
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.sawyer_xyz_env import SawyerXYZEnv

HAND = 4
"""First numbers of the benchmark's 39: the hand's x, y, z in m, and how far the gripper is open, 0 to 1."""

CORNER2 = (0.75, 0.075, 0.7)
"""Where huggingface/lerobot moved the camera `corner2` to, in m; it hangs upside down."""

PARTS = {
    "pixels_agent_pos": ("pixels", "agent_pos"),
    "pixels": ("pixels",),
    "environment_state_agent_pos": ("environment_state", "agent_pos"),
}
"""What an observation has, by `obs_type`."""


class Metaworld(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """One task for a Sawyer arm at a table.

    An action is `(4,)` float32 in [-1, 1]: how far the hand's target goes along x, y and z, in cm, and the gripper's
    effort, 1 to close. Observations by `obs_type`: `pixels` `(H, W, 3)` uint8 RGB; `agent_pos` `(4,)` float64, the
    hand's place in m and how far the gripper is open, 0 to 1; `environment_state` `(39,)` float64, the benchmark's own
    observation: hand and two objects now and one step before, and the goal.

    The reward, 0 to 10, is the benchmark's. A solved task ends the episode.

    Args:
        config: see `MetaworldConfig`; of one task.

    Source:
        Yu et al. 2019, Meta-World, arXiv:1910.10897; McLean et al. 2025, Meta-World+, arXiv:2505.11289.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 80}  # type: ignore[misc]
    action_names: ClassVar[tuple[str, ...]] = ("delta_x", "delta_y", "delta_z", "gripper")

    def __init__(self, config: MetaworldConfig | None = None) -> None:
        self.config = config or MetaworldConfig()
        self.render_mode = self.config.render_mode
        self._sim = simulation(self.config.task)
        self._sim.model.cam_pos[self._sim.model.camera("corner2").id] = CORNER2
        width, height = self.config.observation_width, self.config.observation_height
        self._offscreen = Offscreen(self._sim.model, width, height, fast=self.config.quality == "fast")
        self._steps = 0
        self._picture: NDArray[np.uint8] | None = None
        self.state: NDArray[np.float64] = np.zeros(self._sim.observation_space.shape or ())
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.observation_space = _observation_space(self.config, self._sim)

    @property
    def task_description(self) -> str:
        """The task in words."""
        return DESCRIPTIONS[self.config.task]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; places of objects and goal depend on the seed alone."""
        super().reset(seed=seed, options=options)
        self._sim.seed(int(self.np_random.integers(2**31)) if seed is None else seed)
        self.state, _ = self._sim.reset()
        self._steps, self._picture = 0, None
        return self._observation(), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move the hand's target and the gripper for one period; what is out of range goes to its end.

        Raises:
            LeRobotError: the action is not finite.
        """
        if not np.isfinite(action).all():
            raise LeRobotError(f"the action of step {self._steps} is {action}", expected="finite numbers")
        self.state, reward, _, _, info = self._sim.step(action)
        self._steps, self._picture = self._steps + 1, None
        solved = bool(info["success"])
        truncated = not solved and self._steps >= self.config.episode_length
        return self._observation(), float(reward), solved, truncated, {**info, "is_success": solved}

    def render(self) -> NDArray[np.uint8]:
        """What the camera sees, `(H, W, 3)` uint8 RGB."""
        if self._picture is None:
            seen = self._offscreen.picture(self._sim.data, self.config.camera_name)
            self._picture = seen[::-1, ::-1] if self.config.camera_name == "corner2" else seen
        return self._picture.copy()

    def close(self) -> None:
        """Release the OpenGL context."""
        self._offscreen.close()

    def _observation(self) -> dict[str, Any]:
        parts = PARTS[self.config.obs_type]
        observation: dict[str, Any] = {"pixels": self.render()} if "pixels" in parts else {}
        if "environment_state" in parts:
            observation["environment_state"] = self.state.copy()
        if "agent_pos" in parts:
            observation["agent_pos"] = self.state[:HAND].copy()
        return observation


def simulation(task: str) -> SawyerXYZEnv:
    """The benchmark's own simulation of a task, with the goal in what it observes and places drawn at every reset.

    Its benchmark classes would draw fifty places, pickle them, and give the first to a simulation that shall draw its
    own; what they set is set here. Compared with them step for step in the tests.

    Args:
        task: a name such as `reach-v3`.
    """
    sim: SawyerXYZEnv = ALL_V3_ENVIRONMENTS[task]()
    sim._set_task_called = True
    sim._partially_observable = False
    sim._freeze_rand_vec = False
    sim.seeded_rand_vec = True
    # It was computed for a hidden goal.
    sim.__dict__.pop("sawyer_observation_space", None)
    return sim


def _observation_space(config: MetaworldConfig, sim: SawyerXYZEnv) -> gymnasium.spaces.Dict:
    limits = sim.sawyer_observation_space
    everything = np.full(limits.shape, np.inf)
    spaces: dict[str, gymnasium.Space[Any]] = {
        "pixels": gymnasium.spaces.Box(0, 255, (config.observation_height, config.observation_width, 3), np.uint8),
        "environment_state": gymnasium.spaces.Box(-everything, everything, dtype=np.float64),
        "agent_pos": gymnasium.spaces.Box(limits.low[:HAND], limits.high[:HAND], dtype=np.float64),
    }
    return gymnasium.spaces.Dict({name: spaces[name] for name in PARTS[config.obs_type]})
