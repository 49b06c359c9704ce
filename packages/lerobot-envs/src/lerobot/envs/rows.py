"""Environments side by side, in this process or in one each."""

import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from numpy.typing import NDArray

Make = Callable[[], gymnasium.Env[Any, Any]]


class EnvRows:
    """A number of `EpisodeEnv`, each starting its own episodes while the others play on.

    Args:
        make: builds one environment; or a function for each of several tasks with the same spaces.
        count: how many of each; those of one task stand side by side.
        use_async: give each a process of its own.
    """

    def __init__(self, make: Make | Sequence[Make], count: int, *, use_async: bool = False) -> None:
        makes = [each for each in ([make] if callable(make) else make) for _ in range(count)]
        self.count = len(makes)
        self._vector: AsyncVectorEnv[Any, Any] | SyncVectorEnv[Any, Any]
        if use_async and self.count > 1:
            # Spawned: a copy of a process that runs threads, as torch and MuJoCo do, may hang.
            spawn = multiprocessing.get_context("spawn").get_start_method()
            self._vector = AsyncVectorEnv(makes, context=spawn)
        else:
            self._vector = SyncVectorEnv(makes)
        self.tasks: list[str] = list(self._vector.get_attr("task_description"))
        self._observations: Any = None

    @property
    def observation_space(self) -> Any:
        """Space of one environment's observations."""
        return self._vector.single_observation_space

    @property
    def action_space(self) -> Any:
        """Space of one environment's actions."""
        return self._vector.single_action_space

    def start(self, row: int, seed: int, video: Path | None = None) -> Any:
        """Start an episode in one environment.

        Args:
            row: number of the environment.
            seed: what the episode's start depends on.
            video: file to film it into; None for no film.

        Returns:
            Its first observation.
        """
        mask = np.zeros(self.count, np.bool_)
        seeds: list[int | None] = [None] * self.count
        mask[row], seeds[row] = True, seed
        if self._observations is None:
            # The vector wants to have been reset as a whole once.
            self._vector.reset(seed=[seed] * self.count)
        options: dict[str, Any] = {"reset_mask": mask}
        if video is not None:
            options["video"] = video
        self._observations, _ = self._vector.reset(seed=seeds, options=options)
        return self.observation(row)

    def step(self, actions: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
        """Step every environment; those whose episode is over stand still.

        Args:
            actions: one per environment.

        Returns:
            Rewards, whether the episode is over, and whether its task is solved; each `(count,)`.
        """
        self._observations, rewards, _, _, info = self._vector.step(np.stack(actions))
        return rewards, np.asarray(info["ended"], np.bool_), np.asarray(info["is_success"], np.bool_)

    def observation(self, row: int) -> Any:
        """The newest observation of one environment."""
        return _row(self._observations, row)

    def close(self) -> None:
        """Close every environment and end its process."""
        self._vector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _row(observations: Any, row: int) -> Any:
    if isinstance(observations, dict):
        return {key: _row(value, row) for key, value in observations.items()}
    return observations[row]
