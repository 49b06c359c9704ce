"""What an evaluation found, in figures: the report's file and a line to read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lerobot.core.words import counted

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode that was played to its end.

    Attributes:
        index: number of the episode, from 0.
        seed: what its start depended on; on a robot its number again.
        success: whether the task was solved at its end; not, if nobody could tell.
        sum_reward: rewards of all steps, added.
        max_reward: the largest of them.
        steps: number of steps.
        video: file it was filmed into.
        unknown: nobody could tell whether it was solved, as may be on a robot.
    """

    index: int
    seed: int
    success: bool
    sum_reward: float
    max_reward: float
    steps: int
    video: Path | None = None
    unknown: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is written into files; `unknown` only where it is so."""
        values = {
            "index": self.index,
            "seed": self.seed,
            "success": self.success,
            "sum_reward": self.sum_reward,
            "max_reward": self.max_reward,
            "steps": self.steps,
            "video": None if self.video is None else str(self.video),
        }
        return {**values, "unknown": True} if self.unknown else values

    @classmethod
    def from_json(cls, values: Mapping[str, Any], video: Path | None) -> Self:
        """As it was written; where the film is now is said beside it."""
        names = ("index", "seed", "success", "sum_reward", "max_reward", "steps")
        return cls(**{name: values[name] for name in names}, video=video, unknown=values.get("unknown", False))


def wilson_interval(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a success rate.

    Args:
        successes: episodes that succeeded.
        n: episodes; at least 1.
        z: quantile of the normal distribution; 95 % confidence by default.

    Returns:
        Lower and upper end, in [0, 1].

    Source:
        Wilson 1927, Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    rate = successes / n
    centre = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and n one end is exactly the rate, which rounding misses.
    return max(0.0, min(rate, (centre - half) / scale)), min(1.0, max(rate, (centre + half) / scale))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What was played of one task.

    Attributes:
        group: name of the suite, or of the environment that has one task.
        task_id: number of the task in the suite.
        episodes: by index.
        description: the task in words.
    """

    group: str
    task_id: int
    episodes: Sequence[Episode]
    description: str = ""


def report(results: Sequence[TaskResult], *, seconds: float, caveats: Sequence[str] = ()) -> dict[str, Any]:
    """Make the contents of `eval_info.json`: the peer's keys, and `n`, intervals and seeds beside them.

    Args:
        results: of every task.
        seconds: duration of the evaluation.
        caveats: see `EnvConfig.caveats`.
    """
    groups: dict[str, list[Episode]] = {}
    for each in results:
        groups.setdefault(each.group, []).extend(each.episodes)
    everything = [episode for episodes in groups.values() for episode in episodes]
    timing = {"eval_s": seconds, "eval_ep_s": seconds / len(everything)}
    return {
        "per_task": [_task(each) for each in results],
        "per_group": {group: summary(episodes) for group, episodes in groups.items()},
        "overall": summary(everything) | timing,
        "caveats": list(caveats),
    }


def _task(result: TaskResult) -> dict[str, Any]:
    counts = summary(result.episodes)
    metrics = {
        "sum_rewards": [episode.sum_reward for episode in result.episodes],
        "max_rewards": [episode.max_reward for episode in result.episodes],
        "successes": [episode.success for episode in result.episodes],
        "seeds": [episode.seed for episode in result.episodes],
        "steps": [episode.steps for episode in result.episodes],
        "video_paths": counts.pop("video_paths"),
    }
    named = {"task_group": result.group, "task_id": result.task_id, "task": result.description}
    return {**named, **counts, "metrics": metrics}


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How often episodes succeeded, and their rewards; at least one."""
    n, successes = len(episodes), sum(episode.success for episode in episodes)
    low, high = wilson_interval(successes, n)
    return {
        "avg_sum_reward": math.fsum(episode.sum_reward for episode in episodes) / n,
        "avg_max_reward": math.fsum(episode.max_reward for episode in episodes) / n,
        "pc_success": 100 * successes / n,
        "pc_success_interval_95": [100 * low, 100 * high],
        "n": n,
        "n_episodes": n,
        "n_success": successes,
        "n_unknown": sum(episode.unknown for episode in episodes),
        "video_paths": [str(episode.video) for episode in episodes if episode.video is not None],
    }


def summary_line(results: dict[str, Any]) -> str:
    """Say the result in one line."""
    overall = results["overall"]
    return f"{_rate(overall)}, mean return {overall['avg_sum_reward']:.3f}, {overall['eval_s']:.1f} s"


def task_lines(results: dict[str, Any]) -> list[str]:
    """A line for every task and one for every suite; none if there is one task."""
    if len(results["per_task"]) == 1:
        return []
    tasks = [f"{task['task_group']} {task['task_id']}: {_rate(task)}  {task['task']}" for task in results["per_task"]]
    return [*tasks, *(f"{group}: {_rate(counts)}" for group, counts in results["per_group"].items())]


def _rate(counts: dict[str, Any]) -> str:
    low, high = counts["pc_success_interval_95"]
    unknown = f", {counts['n_unknown']} unknown" if counts["n_unknown"] else ""
    return (
        f"success {counts['pc_success']:.1f} % ({counts['n_success']} of {counted(counts['n'], 'episode')}"
        f"{unknown}, 95 % interval {low:.1f} to {high:.1f} %)"
    )
