"""An environment as a robot."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.processors.dataset_features import ENVIRONMENT_STATE, IMAGES
from lerobot.core.prompts import Prompter
from lerobot.core.protocols import StepResult
from lerobot.core.types import Action, FeatureSpec, Observation
from lerobot.envs.config import EnvRobotConfig
from lerobot.envs.running import running
from lerobot.envs.scene import Scene
from lerobot.policies.processing.observations import flatten, is_image

STATE, WORLD = "observation.state", "observation.environment_state"
"""Vectors that a dataset has room for, one number by one."""


@runtime_checkable
class NamesActions(Protocol):
    """An environment that says what the numbers of its action are called."""

    action_names: tuple[str, ...]
    """One per number, as teleoperators that command it call them."""


class EnvRobot(DeviceBase):
    """Commands are steps of an environment; what it shows is what the robot measures.

    The numbers of an action are commands of their own, in the environment's unit and range. What is observed has the
    names that it has in `lerobot eval`, so that what is recorded trains policies for it. See `Scene` for when episodes
    begin.

    Args:
        config: see `EnvRobotConfig`.
        prompter: who answers questions; it asks none.

    Raises:
        LeRobotError: the environment cannot be built.
    """

    name = "env"
    safe_state = "stands still"

    def __init__(self, config: EnvRobotConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.clock: Clock = MonotonicClock() if config.realtime else StepClock()
        self.scene = Scene(config.env, seed=config.seed, clock=self.clock)
        self._low, self._high = _limits(self.scene.action_space)
        self._sent = np.clip(np.zeros_like(self._low), self._low, self._high)

    # --- what it is --------------------------------------------------------------------------------------------------

    @cached_property
    def action_features(self) -> dict[str, FeatureSpec]:
        """The numbers of an action, each from its smallest to its largest value within one step."""
        names = action_names(self.scene.env, len(self._low))
        return {
            name: command_feature(float(low), float(high), self.control_hz)
            for name, low, high in zip(names, self._low, self._high, strict=True)
        }

    @cached_property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Numbers `state_0`, ..., numbers of the world `environment_state.0`, ..., and pictures by their name."""
        return _features(flatten(self.scene.observation_space, self.config.env.features_map))

    @property
    def control_hz(self) -> float:
        """See `HasFixedRate.control_hz`: the environment's rate; 30 if it has none."""
        return self.scene.steps_per_second or 30.0

    @property
    def task_description(self) -> str:
        """See `HasTask.task_description`."""
        return self.scene.task_description

    @property
    def step_result(self) -> StepResult:
        """See `HasReward.step_result`."""
        return self.scene.result

    @property
    def is_success(self) -> bool:
        """See `KnowsSuccess.is_success`."""
        return self.scene.result.success

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - nothing to calibrate
        """See `Calibratable.connect`; the first episode is shown."""
        with self._connecting():
            running.enter(self.id, self.scene)
            self.scene.open()
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: there is nothing to calibrate."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    def _close(self) -> None:
        running.leave(self.id, self.scene)
        self.scene.close()

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        self.require_connected()
        observation = Observation()
        for name, value in flatten(self.scene.look(), self.config.env.features_map).items():
            if name in (STATE, WORLD):
                observation.update(zip(_names(name, value.size), value.ravel().tolist(), strict=True))
            else:
                observation[name.removeprefix(IMAGES)] = value
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`: one step; numbers that are not given stay as they were."""
        self.require_connected()
        wanted = np.array(self._sent)
        for index, key in enumerate(self.action_features):
            wanted[index] = action.get(key, self._sent[index])
        if not np.isfinite(wanted).all():
            raise DeviceError(f"{self}: a command of {dict(action)}", device=str(self), expected="finite numbers")
        self._sent = np.clip(wanted, self._low, self._high)
        self.scene.step(self._sent.astype(self.scene.action_space.dtype))
        return dict(zip(self.action_features, self._sent.tolist(), strict=True))

    def enter_safe_state(self) -> None:
        """Let nothing move until an episode is started."""
        self.scene.rest()


class StepClock:
    """The time of an environment that keeps no real time: to wait is to be there."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        """See `Clock.now`."""
        return self._now_s

    def sleep_until(self, deadline: float) -> None:
        """See `Clock.sleep_until`."""
        self._now_s = max(self._now_s, deadline)


def command_feature(low: float, high: float, rate: float) -> FeatureSpec:
    """Declare one number of an action: new in every step, however far from the one before.

    Args:
        low: smallest value.
        high: largest value.
        rate: steps per second.
    """
    return FeatureSpec(unit="1/step", range=(low, high), max_velocity=10 * max(high - low, 1e-6) * rate)


def action_names(env: object, count: int) -> tuple[str, ...]:
    """What the numbers of an environment's action are called; `action_0`, ... where it does not say."""
    return env.action_names if isinstance(env, NamesActions) else tuple(f"action_{n}" for n in range(count))


def _limits(space: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1 or not space.is_bounded():
        raise FeatureMismatchError(
            f"the environment's actions are {space}", keys=["action"], expected="a vector of numbers with limits"
        )
    return space.low.astype(np.float64), space.high.astype(np.float64)


def _features(parts: Mapping[str, Any]) -> dict[str, FeatureSpec]:
    features: dict[str, FeatureSpec] = {}
    for name, space in parts.items():
        if name in (STATE, WORLD):
            features |= dict.fromkeys(_names(name, int(np.prod(space.shape))), FeatureSpec())
        elif is_image(tuple(space.shape), space.dtype):
            names = ("height", "width", "channels")
            features[name.removeprefix(IMAGES)] = FeatureSpec("uint8", tuple(space.shape), names)
        else:
            raise FeatureMismatchError(
                f"the environment shows {name} {space.shape}",
                keys=[name],
                expected=f"pictures, {STATE} and {WORLD}",
            )
    return features


def _names(part: str, count: int) -> list[str]:
    """Names of the numbers of a vector."""
    return [f"{'state_' if part == STATE else ENVIRONMENT_STATE}{number}" for number in range(count)]
