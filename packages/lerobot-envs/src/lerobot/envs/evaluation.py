"""Playing episodes and counting successes."""

import os
from collections.abc import Iterable, Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Start:
    """An episode that is to be played.

    Attributes:
        index: number of the episode in its task.
        seed: the only thing its start depends on.
        video: file to film it into; None for no film.
    """

    index: int
    seed: int
    video: Path | None = None


@dataclass(slots=True)
class _Playing:
    start: Start
    rewards: list[float] = field(default_factory=list)

    def done(self, *, success: bool) -> Episode:
        total, start = float(np.sum(np.array(self.rewards, np.float64))), self.start
        return Episode(start.index, start.seed, success, total, max(self.rewards), len(self.rewards), start.video)


def rows_for(batch_size: int, n_episodes: int) -> int:
    """How many environments to build: as asked, one per core for 0, never more than there are episodes."""
    return min(batch_size or os.cpu_count() or 1, n_episodes)


def starts(indices: Iterable[int], *, seed: int, videos: Path | None = None, n_videos: int = 0) -> Iterator[Start]:
    """The episodes of one task, in the order in which they are begun.

    Args:
        indices: their numbers.
        seed: of episode 0; that of episode `k` is `seed + k`.
        videos: folder of films, `eval_episode_<k>.mp4`.
        n_videos: episodes to film, the first ones.
    """
    folder = None if videos is None else user_path(videos)
    for index in indices:
        filmed = folder is not None and index < n_videos
        yield Start(index, seed + index, folder / f"eval_episode_{index}.mp4" if folder and filmed else None)


def play(rows: EnvRows, actors: Sequence[Actor], waiting: Sequence[Iterator[Start]]) -> Iterator[tuple[int, Episode]]:
    """Play episodes; each depends on its seed and nothing else, in whichever row it is played.

    Args:
        rows: the environments.
        actors: one per environment; they share no state that changes.
        waiting: per environment what it is to play; environments of one task share one iterator.

    Yields:
        Number of the environment and the episode, when it ends.
    """
    idle = np.zeros(rows.action_space.shape, rows.action_space.dtype)
    playing: dict[int, _Playing] = {}

    def start_next(row: int) -> None:
        if (start := next(waiting[row], None)) is None:
            playing.pop(row, None)
            return
        playing[row] = _Playing(start)
        rows.start(row, start.seed, start.video)
        actors[row].start(start.seed, rows.tasks[row])

    for row in range(rows.count):
        start_next(row)
    while playing:
        check_stop()
        actions = [actors[row].act(rows.observation(row)) if row in playing else idle for row in range(rows.count)]
        rewards, ended, success = rows.step(actions)
        for row, episode in list(playing.items()):
            episode.rewards.append(float(rewards[row]))
            if ended[row]:
                start_next(row)
                yield row, episode.done(success=bool(success[row]))


def evaluate(rows: EnvRows, actors: Sequence[Actor], n_episodes: int, *, seed: int) -> list[Episode]:
    """Play episodes of one task; episode `k` depends on `seed + k` alone.

    Args:
        rows: environments of that task.
        actors: one per environment.
        n_episodes: how many to play.
        seed: of episode 0.

    Returns:
        The episodes, by index.
    """
    queue = starts(range(n_episodes), seed=seed)
    return sorted((done for _, done in play(rows, actors, [queue] * rows.count)), key=lambda done: done.index)
