"""A policy in every task of an environment's configuration."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.config.base import EnvConfig
from lerobot.core.protocols import ActingPolicy
from lerobot.envs.actor import PolicyActor, provided_features
from lerobot.envs.assembly import env_maker
from lerobot.envs.config import BenchmarkEnvConfig, EvalConfig
from lerobot.envs.evaluation import play, rows_for, starts
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import Episode, TaskResult, report
from lerobot.envs.rows import EnvRows
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import PolicyFeatures, check_provided


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a suite.

    Attributes:
        group: name of the suite, or of the environment that has one task.
        number: of the task in the suite.
        config: configuration of its environment.
    """

    group: str
    number: int
    config: EnvConfig

    @property
    def name(self) -> str:
        """Name of its folders."""
        return f"{self.group}_{self.number}"


def tasks_of(env: EnvConfig) -> list[Task]:
    """The tasks that a configuration names."""
    return [Task(group, number, each) for group, suite in env.tasks().items() for number, each in suite.items()]


class TaskQueue:
    """What is still to be played of one task, and what of it ended.

    Args:
        task: the task.
        wanted: numbers of the episodes it shall have.
        journal: knows what ended before, and is told what ends now.
    """

    def __init__(self, task: Task, wanted: Sequence[int], journal: EpisodeJournal | None = None) -> None:
        self.task = task
        self.description = journal.description(task.group, task.number) if journal else ""
        before = journal.episodes(task.group, task.number) if journal else {}
        self._journal = journal
        self._ended = {index: before[index] for index in wanted if index in before}
        self.indices = [index for index in wanted if index not in self._ended]

    def ended(self, episode: Episode) -> None:
        """Keep an episode."""
        self._ended[episode.index] = episode
        if self._journal is not None:
            self._journal.add(self.task.group, self.task.number, self.description, episode)

    @property
    def result(self) -> TaskResult:
        """The episodes that ended, those of before too."""
        episodes = [self._ended[index] for index in sorted(self._ended)]
        return TaskResult(self.task.group, self.task.number, episodes, self.description)


def results_in(journal: EpisodeJournal, env: EnvConfig, n_episodes: int) -> list[TaskResult]:
    """What a journal has of the first episodes of every task."""
    return [TaskQueue(task, range(n_episodes), journal).result for task in tasks_of(env)]


class Evaluation:
    """Plays tasks with a policy, which is loaded when the first environment says what it shows.

    Args:
        policy_for: gives the policy, with its processors or as it acts; asked once, with what the environment provides.
        env: configuration of the environments.
        config: how many episodes and videos.
        seed: episode `k` of every task starts from `seed + k`.
        videos: folder for a folder of films per task; None for none.
        rename_map: names in the environment: names in the policy; the processors already know it.
        shows_progress: show a bar, where there is a terminal.
    """

    def __init__(
        self,
        policy_for: Callable[[PolicyFeatures], PolicyWithProcessors | ActingPolicy],
        env: EnvConfig,
        config: EvalConfig,
        *,
        seed: int,
        videos: Path | None = None,
        rename_map: Mapping[str, str] | None = None,
        shows_progress: bool = True,
    ) -> None:
        self._policy_for = policy_for
        self._env = env
        self._config = config
        self._seed = seed
        self._videos = videos
        self._rename_map = rename_map or {}
        self._shows_progress = shows_progress
        self._loaded: PolicyWithProcessors | ActingPolicy | None = None

    def run(self, *, journal: EpisodeJournal | None = None, trust_remote_code: bool = False) -> dict[str, Any]:
        """Play, and report; see `played` and `report`."""
        started = time.perf_counter()
        results = self.played(journal=journal, trust_remote_code=trust_remote_code)
        return report(results, seconds=time.perf_counter() - started, caveats=self._env.caveats())

    def played(
        self,
        *,
        episodes: Sequence[int] | None = None,
        journal: EpisodeJournal | None = None,
        trust_remote_code: bool = False,
    ) -> list[TaskResult]:
        """Build the environments of one task after the other, or of `max_parallel_tasks` at a time, and play.

        Args:
            episodes: numbers of those to play of every task; default: the first `n_episodes`.
            journal: keeps every episode; what it has is not played again.
            trust_remote_code: allow environments whose code comes from the Hub.

        Returns:
            The episodes of every task, those of before too.

        Raises:
            FeatureMismatchError: policy and environment do not fit.
        """
        wanted = range(self._config.n_episodes) if episodes is None else episodes
        queues = [TaskQueue(task, wanted, journal) for task in tasks_of(self._env)]
        at_once = self._env.max_parallel_tasks if isinstance(self._env, BenchmarkEnvConfig) else 1
        with ExitStack() as shown:
            tell: Callable[[Episode], None] | None = None
            waiting = (queue for queue in queues if queue.indices)
            while together := list(islice(waiting, at_once)):
                makes = [env_maker(each.task.config, trust_remote_code=trust_remote_code) for each in together]
                with EnvRows(makes, self._rows_each(together), use_async=self._config.use_async_envs) as rows:
                    # The bar of episodes comes after that of large weights: one line holds one bar.
                    self._policy(rows)
                    tell = tell or shown.enter_context(_progress(queues, shown=self._shows_progress))
                    self.play(rows, together, tell)
        return [queue.result for queue in queues]

    def play(self, rows: EnvRows, queues: Sequence[TaskQueue], tell: Callable[[Episode], None]) -> None:
        """Play what waits of some tasks; `rows` has equally many environments of each, one task after the other."""
        policy, features_map = self._policy(rows), self._env.features_map
        of_row = [queue for queue in queues for _ in range(rows.count // len(queues))]
        to_play = {
            queue.task.name: starts(
                queue.indices,
                seed=self._seed,
                videos=None if self._videos is None else self._videos / queue.task.name,
                n_videos=self._config.n_videos,
            )
            for queue in queues
        }
        for queue, description in zip(of_row, rows.tasks, strict=True):
            queue.description = description
        with ExitStack() as opened:
            actors = [
                opened.enter_context(closing(PolicyActor(policy, rows.action_space, features_map)))
                for _ in range(rows.count)
            ]
            for row, episode in play(rows, actors, [to_play[queue.task.name] for queue in of_row]):
                of_row[row].ended(episode)
                tell(episode)

    def _rows_each(self, queues: Sequence[TaskQueue]) -> int:
        batch_size = self._config.batch_size or max(1, (os.cpu_count() or 1) // len(queues))
        return rows_for(batch_size, max(len(queue.indices) for queue in queues))

    def _policy(self, rows: EnvRows) -> PolicyWithProcessors | ActingPolicy:
        provided = provided_features(rows.observation_space, rows.action_space, self._env.features_map)
        if self._loaded is None:
            self._loaded = self._policy_for(provided)
        if isinstance(self._loaded, PolicyWithProcessors):
            renamed = {self._rename_map.get(key, key): feature for key, feature in provided.items()}
            needed = self._loaded.policy.config
            source = f"environment '{self._env.type}'"
            check_provided(needed.needed_of(renamed), renamed, source, resized=needed.resizes_images)
        return self._loaded


@contextmanager
def _progress(queues: Sequence[TaskQueue], *, shown: bool = True) -> Iterator[Callable[[Episode], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    console = Console(stderr=True)
    shown = shown and console.is_terminal
    bars = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not shown)
    with bars:
        bar = bars.add_task("episodes", total=sum(len(queue.indices) for queue in queues), rate="")
        solved: list[bool] = []

        def tell(episode: Episode) -> None:
            solved.append(episode.success)
            bars.update(bar, advance=1, rate=f"{100 * sum(solved) / len(solved):.0f} % solved")

        yield tell


def evaluate_policy(
    trained: PolicyWithProcessors,
    rows: EnvRows,
    env: EnvConfig,
    config: EvalConfig,
    *,
    seed: int,
    videos: Path | None = None,
    rename_map: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Evaluate a policy in environments of one task that are there.

    Args:
        trained: the policy with its processors.
        rows: environments to evaluate in.
        env: configuration they were built from, of one task.
        config: how many episodes and videos.
        seed: episode `k` starts from `seed + k`.
        videos: folder for a folder of films; None for none.
        rename_map: see `Evaluation`.

    Returns:
        See `report`.

    Raises:
        FeatureMismatchError: policy and environment do not fit.
    """
    started = time.perf_counter()
    (task,) = tasks_of(env)
    queues = [TaskQueue(task, range(config.n_episodes))]
    evaluation = Evaluation(lambda _: trained, env, config, seed=seed, videos=videos, rename_map=rename_map)
    with _progress(queues) as tell:
        evaluation.play(rows, queues, tell)
    results = [queue.result for queue in queues]
    return report(results, seconds=time.perf_counter() - started, caveats=env.caveats())
