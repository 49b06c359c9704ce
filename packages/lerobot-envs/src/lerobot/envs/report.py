"""What an evaluation found, in figures: the report's file and a line to read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.words import counted

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode that was played to its end.

    Attributes:
        index: number of the episode, from 0.
        seed: what its start depended on.
        success: whether the task was solved at its end.
        sum_reward: rewards of all steps, added.
        max_reward: the largest of them.
        steps: number of steps.
        video: file it was filmed into.
    """

    index: int
    seed: int
    success: bool
    sum_reward: float
    max_reward: float
    steps: int
    video: Path | None = None


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


def report(episodes: Sequence[Episode], *, group: str, task_id: int, seconds: float) -> dict[str, Any]:
    """Make the contents of `eval_info.json`: the peer's keys, and `n`, the interval and seeds beside them.

    Args:
        episodes: all episodes, by index.
        group: name of the environment or of its group of tasks.
        task_id: number of the task in the group.
        seconds: duration of the evaluation.
    """
    videos = [str(episode.video) for episode in episodes if episode.video is not None]
    metrics = {
        "sum_rewards": [episode.sum_reward for episode in episodes],
        "max_rewards": [episode.max_reward for episode in episodes],
        "successes": [episode.success for episode in episodes],
        "seeds": [episode.seed for episode in episodes],
        "steps": [episode.steps for episode in episodes],
        "video_paths": videos,
    }
    summary = _summary(episodes) | {"video_paths": videos}
    timing = {"eval_s": seconds, "eval_ep_s": seconds / len(episodes)}
    return {
        "per_task": [{"task_group": group, "task_id": task_id, "metrics": metrics}],
        "per_group": {group: summary},
        "overall": summary | timing,
    }


def _summary(episodes: Sequence[Episode]) -> dict[str, Any]:
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
    }


def summary_line(results: dict[str, Any]) -> str:
    """Say the result in one line."""
    overall = results["overall"]
    low, high = overall["pc_success_interval_95"]
    return (
        f"success {overall['pc_success']:.1f} % ({overall['n_success']} of {counted(overall['n'], 'episode')}, "
        f"95 % interval {low:.1f} to {high:.1f} %), mean return {overall['avg_sum_reward']:.3f}, "
        f"{overall['eval_s']:.1f} s"
    )
