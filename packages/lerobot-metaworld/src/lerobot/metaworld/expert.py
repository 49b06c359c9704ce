"""Whoever can do it already: the benchmark's scripted solution of every task."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DeviceError
from lerobot.envs.expert import ExpertTeleoperator
from lerobot.metaworld.env import Metaworld
from metaworld.policies import ENV_POLICY_MAP
from metaworld.policies.policy import Policy


class Expert:
    """Solves one task from the benchmark's own observation.

    Args:
        task: a name such as `reach-v3`.
    """

    def __init__(self, task: str) -> None:
        solution: Callable[[], Policy] = ENV_POLICY_MAP[task]
        self._solution = solution()

    def act(self, state: NDArray[np.float64]) -> NDArray[np.float32]:
        """The next action.

        Args:
            state: the benchmark's observation `(39,)`, as `Metaworld.state`.

        Returns:
            `(4,)` in [-1, 1].
        """
        with warnings.catch_warnings():
            # They say that far ways give large actions, which are cut off below.
            warnings.filterwarnings("ignore", message="Constant", category=UserWarning)
            # Some of the scripts correct places in what they are given.
            wanted = self._solution.get_action(state.copy())
        return np.clip(wanted, -1, 1).astype(np.float32)


class MetaworldExpert(ExpertTeleoperator):
    """The expert as a teleoperator."""

    name = "metaworld_expert"
    action_names = Metaworld.action_names

    def begin(self, env: Any) -> Callable[[], NDArray[np.float32]]:
        """See `ExpertTeleoperator.begin`."""
        if not isinstance(env, Metaworld):
            raise DeviceError(f"{self} cannot play in {env}", device=str(self), expected="--robot.env.type=metaworld")
        expert = Expert(env.config.task)
        return lambda: expert.act(env.state)
