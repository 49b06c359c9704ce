"""Environments with the interface of gym before 0.26, as many simulators still have it."""

import inspect
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np

from lerobot.core.errors import LeRobotError


@runtime_checkable
class OldGym(Protocol):
    """What such an environment has; `step` gives observation, reward, done and info, `reset` an observation alone."""

    observation_space: Any
    action_space: Any

    def reset(self) -> Any:
        """Start an episode."""
        ...

    def step(self, action: Any) -> Any:
        """Apply one action."""
        ...

    def seed(self, seed: int) -> Any:
        """Decide the episodes to come."""
        ...

    def render(self, mode: str = ...) -> Any:
        """A picture, for the mode `rgb_array`."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class OldGymEnv(gymnasium.Env[Any, Any]):
    """Such an environment as gymnasium has them.

    The end of an episode is `terminated`, or `truncated` where its info has `TimeLimit.truncated`. A task is solved
    where its info says so in `is_success` or `success`.

    Args:
        env: the environment.
        task_description: the task in words.

    Raises:
        LeRobotError: it has spaces that are no boxes, numbers, tuples or dictionaries of them.
    """

    def __init__(self, env: OldGym, task_description: str = "") -> None:
        self.old = env
        self.observation_space = _space(env.observation_space)
        self.action_space = _space(env.action_space)
        metadata = vars(type(env)).get("metadata", {})
        fps = metadata.get("render_fps") or metadata.get("video.frames_per_second") or 30
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": fps}
        self.render_mode = "rgb_array"
        self.task_description = task_description
        """The task in words."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """See `Env.reset`."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self.old.seed(seed)
            self.action_space.seed(seed)
        return self.old.reset(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `Env.step`.

        Raises:
            LeRobotError: it returns something else than four values.
        """
        values = self.old.step(action)
        if not isinstance(values, tuple) or len(values) != 4:
            raise LeRobotError(
                f"step of {type(self.old).__name__} returned {type(values).__name__}",
                expected="observation, reward, done, info",
            )
        observation, reward, done, info = values
        cut = bool(info.get("TimeLimit.truncated", False))
        known = {name: bool(info[name]) for name in ("success", "is_success") if name in info}
        success = {"is_success": list(known.values())[-1]} if known else {}
        return observation, float(reward), bool(done) and not cut, bool(done) and cut, {**info, **success}

    def render(self) -> Any:
        """See `Env.render`."""
        if "mode" in inspect.signature(self.old.render).parameters:
            return self.old.render(mode="rgb_array")
        return self.old.render()

    def close(self) -> None:
        """See `Env.close`."""
        self.old.close()


def _space(space: Any) -> gymnasium.Space[Any]:
    """A space of gymnasium that holds what one of gym holds; gym itself is not imported."""
    if isinstance(space, gymnasium.Space):
        return space
    match type(space).__name__:
        case "Box":
            return gymnasium.spaces.Box(np.asarray(space.low), np.asarray(space.high), dtype=space.dtype.type)
        case "Discrete":
            return gymnasium.spaces.Discrete(int(space.n))
        case "MultiBinary":
            return gymnasium.spaces.MultiBinary(space.n)
        case "MultiDiscrete":
            return gymnasium.spaces.MultiDiscrete(space.nvec)
        case "Dict":
            return gymnasium.spaces.Dict({name: _space(each) for name, each in space.spaces.items()})
        case "Tuple":
            return gymnasium.spaces.Tuple([_space(each) for each in space.spaces])
    raise LeRobotError(f"a space is a {type(space).__name__}", expected="a box, numbers, a tuple or a dictionary")
