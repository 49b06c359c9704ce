"""Playing episodes and counting successes."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot.core.paths import user_path
from lerobot.core.signals import check_stop
from lerobot.envs.report import Episode
from lerobot.envs.rows import EnvRows


class Actor(Protocol):
    """Plays one episode after the other in one environment."""

    def start(self, seed: int, task: str) -> None:
        """Forget the episode before.

        Args:
            seed: the only thing that what is random may depend on.
            task: the task in words.
        """
        ...

    def act(self, observation: Any) -> NDArray[Any]:
        """Choose an action, as the environment's action space has it."""
        ...


@dataclass(slots=True)
class _Playing:
    index: int
    seed: int
    video: Path | None
    rewards: list[float] = field(default_factory=list)

    def done(self, *, success: bool) -> Episode:
        total = float(np.sum(np.array(self.rewards, np.float64)))
        return Episode(self.index, self.seed, success, total, max(self.rewards), len(self.rewards), self.video)


def rows_for(batch_size: int, n_episodes: int) -> int:
    """How many environments to build: as asked, one per core for 0, never more than there are episodes."""
    return min(batch_size or os.cpu_count() or 1, n_episodes)


def evaluate(
    rows: EnvRows,
    actors: Sequence[Actor],
    n_episodes: int,
    *,
    seed: int,
    videos: Path | None = None,
    n_videos: int = 0,
    on_episode: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Play episodes; episode `k` depends on `seed + k` and nothing else, in whichever row it is played.

    Args:
        rows: the environments.
        actors: one per environment; they share no state that changes.
        n_episodes: how many to play.
        seed: of episode 0.
        videos: folder of films, `eval_episode_<k>.mp4`.
        n_videos: episodes to film, the first ones.
        on_episode: told of every episode when it ends.

    Returns:
        The episodes, by index.
    """
    videos = None if videos is None else user_path(videos)
    idle = np.zeros(rows.action_space.shape, rows.action_space.dtype)
    waiting = iter(range(n_episodes))
    playing: dict[int, _Playing] = {}
    finished: list[Episode] = []

    def start_next(row: int) -> None:
        if (index := next(waiting, None)) is None:
            playing.pop(row, None)
            return
        video = videos / f"eval_episode_{index}.mp4" if videos is not None and index < n_videos else None
        playing[row] = _Playing(index, seed + index, video)
        rows.start(row, seed + index, video)
        actors[row].start(seed + index, rows.tasks[row])

    for row in range(rows.count):
        start_next(row)
    while playing:
        check_stop()
        actions = [actors[row].act(rows.observation(row)) if row in playing else idle for row in range(rows.count)]
        rewards, ended, success = rows.step(actions)
        for row, episode in list(playing.items()):
            episode.rewards.append(float(rewards[row]))
            if ended[row]:
                finished.append(episode.done(success=bool(success[row])))
                start_next(row)
                if on_episode is not None:
                    on_episode(finished[-1])
    return sorted(finished, key=lambda episode: episode.index)
