"""An environment that is played in by a robot's commands, and that others of the process may look into."""

import logging
import math
from typing import Any

import gymnasium
from numpy.typing import NDArray

from lerobot.core.clock import Clock
from lerobot.core.config.base import EnvConfig
from lerobot.core.protocols import StepResult
from lerobot.envs.assembly import make_env

logger = logging.getLogger(__name__)

PAUSE_S = 3.0
"""Where nobody counts episodes, as while teleoperating, the scene stands still for so long before each."""


class Scene:
    """Episode after episode of one environment.

    An episode that ended stands still. The next one begins when somebody says so; as long as nobody ever did, it begins
    by itself.

    Args:
        config: the environment's.
        seed: episode `k` starts from `seed + k`.
        clock: of whoever plays.

    Attributes:
        episodes_started: counts them, so that others notice a new one.
        result: what came of the newest step.
        observation: what it showed last.

    Raises:
        LeRobotError: see `make_env`.
    """

    def __init__(self, config: EnvConfig, *, seed: int = 0, clock: Clock) -> None:
        self._env = make_env(config)
        self._seed = seed
        self._clock = clock
        self._episode = 0
        self._steps = 0
        self._return = 0.0
        self._still_until = math.inf
        self._is_counted = False
        self._error: Exception | None = None
        self.episodes_started = 0
        self.result = StepResult()
        self.observation: Any = None

    @property
    def env(self) -> gymnasium.Env[Any, Any]:
        """The environment itself, without what is wrapped around it."""
        return self._env.unwrapped

    @property
    def observation_space(self) -> Any:
        """The environment's."""
        return self._env.observation_space

    @property
    def action_space(self) -> Any:
        """The environment's."""
        return self._env.action_space

    @property
    def steps_per_second(self) -> float | None:
        """The environment's rate, if it says one."""
        rate = self._env.metadata.get("render_fps")
        return None if rate is None else float(rate)

    @property
    def task_description(self) -> str:
        """The task in words; empty if the environment does not say."""
        return self._env.task_description

    @property
    def stands_still(self) -> bool:
        """Whether no command changes anything now."""
        return self._still_until > 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing will move by itself."""
        return self._still_until == math.inf

    def open(self) -> None:
        """Show the first episode; it begins a little later, unless somebody begins one before."""
        self._is_counted = False
        self.start(0)
        self._pause()

    def begin(self, episode: int) -> None:
        """Begin an episode as the one who counts them; what goes wrong is raised by the next look."""
        self._is_counted = True
        try:
            self.start(episode)
        except Exception as error:  # noqa: BLE001 - hooks keep errors to themselves, and the next look raises it
            self._error = error

    def start(self, episode: int) -> None:
        """Start an episode by its number."""
        self._episode, self._steps, self._return = episode, 0, 0.0
        self.observation, _ = self._env.reset(seed=self._seed + episode)
        self.result, self._error = StepResult(), None
        self._still_until = 0.0
        self.episodes_started += 1

    def look(self) -> Any:
        """What the environment shows now; the time for the next episode may have come.

        Raises:
            Exception: the environment could not begin an episode.
        """
        if self._error is not None:
            raise self._error
        if self.stands_still and self._clock.now() >= self._still_until:
            self._still_until = 0.0
            if self._steps:
                self.start(self._episode + 1)
        return self.observation

    def step(self, action: NDArray[Any]) -> None:
        """Take a step, unless the scene stands still."""
        if self.stands_still:
            return
        self.observation, reward, _, _, info = self._env.step(action)
        self._steps, self._return = self._steps + 1, self._return + float(reward)
        self.result = StepResult(float(reward), info["ended"], info["is_success"], info["truncated"])
        if self.result.done:
            self._pause()
            outcome = "solved" if self.result.success else "not solved"
            logger.info("episode %d: %s, %d steps, return %.1f", self._episode, outcome, self._steps, self._return)

    def rest(self) -> None:
        """Stand still until an episode is started."""
        self._still_until = math.inf

    def _pause(self) -> None:
        self._still_until = math.inf if self._is_counted else self._clock.now() + PAUSE_S

    def close(self) -> None:
        """Release the environment."""
        self._env.close()
