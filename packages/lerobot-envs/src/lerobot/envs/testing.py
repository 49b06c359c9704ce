"""For tests of environments: episodes are the same however many are played at a time, and in how many processes."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.config.base import EnvConfig
from lerobot.envs.assembly import env_maker
from lerobot.envs.evaluation import evaluate
from lerobot.envs.rows import EnvRows
from lerobot.policies.processing.observations import flatten


class Wanderer:
    """Draws each action from what it sees, so that the smallest difference makes another episode.

    Args:
        space: of its actions, a box.
        seen: where it keeps what was shown last in the episode of each seed.
        task: what it must be told to do.
    """

    def __init__(self, space: Any, seen: dict[int, bytes], task: str) -> None:
        self._space = space
        self._seen = seen
        self._task = task
        self._seed = 0

    def start(self, seed: int, task: str) -> None:
        """See `Player.start`."""
        assert task == self._task
        self._seed = seed

    def act(self, observation: Any) -> NDArray[Any]:
        """See `Player.act`."""
        shown = b"".join(np.asarray(part).tobytes() for part in flatten(observation).values())
        self._seen[self._seed] = shown
        random = np.random.default_rng([self._seed, zlib.crc32(shown)])
        action: NDArray[Any] = random.uniform(self._space.low, self._space.high).astype(self._space.dtype)
        return action


def assert_same_episodes(
    config: EnvConfig,
    task: str,
    *,
    episodes: int = 4,
    rows: Sequence[tuple[int, bool]] = ((1, False), (3, False), (2, True)),
) -> None:
    """Play the same episodes in several ways, and compare rewards, outcomes and what was shown last, to the last bit.

    Args:
        config: the environment's.
        task: the task in words.
        episodes: how many are played, each time.
        rows: environments side by side, and whether each has a process of its own; the first is what is compared with.
    """
    played, shown = [], []
    for count, use_async in rows:
        seen: dict[int, bytes] = {}
        with EnvRows(env_maker(config), count, use_async=use_async) as envs:
            players = [Wanderer(envs.action_space, seen, task) for _ in range(count)]
            played.append(evaluate(envs, players, episodes, seed=3))
        shown.append(seen)
    assert all(each == played[0] for each in played), "rewards or outcomes differ"
    assert all(each == shown[0] for each in shown), "what was shown differs"
    assert len(set(shown[0].values())) == episodes, "episodes of different seeds are the same"
