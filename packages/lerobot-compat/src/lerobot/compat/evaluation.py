"""Counting the successes of a policy in a vector of environments."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.compat.envs import preprocess_observation


def eval_policy(
    env: Any,
    policy: Any,
    env_preprocessor: Any,
    env_postprocessor: Any,
    preprocessor: Any,
    postprocessor: Any,
    n_episodes: int,
    start_seed: int | None = None,
) -> dict[str, Any]:
    """Play episodes, as many at a time as there are environments; `lerobot eval` also films and compares.

    Args:
        env: from `make_env`.
        policy: the policy.
        env_preprocessor: between environment and `preprocessor`.
        env_postprocessor: between `postprocessor` and environment; takes and gives an action.
        preprocessor: before the policy.
        postprocessor: behind the policy.
        n_episodes: how many to play.
        start_seed: of episode 0; episode k has `start_seed + k`.

    Returns:
        `per_episode`: a row per episode with `episode_ix`, `sum_reward`, `max_reward`, `success` and `seed`;
        `aggregated`: their means, `pc_success` in percent, and the seconds it took.
    """
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for batch in range(math.ceil(n_episodes / env.num_envs)):
        first = batch * env.num_envs
        seeds = None if start_seed is None else [start_seed + first + row for row in range(env.num_envs)]
        played = _play(env, policy, (env_preprocessor, preprocessor), (postprocessor, env_postprocessor), seeds)
        for row, (rewards, success) in enumerate(zip(*played, strict=True)):
            seed = None if seeds is None else seeds[row]
            rows.append(
                {
                    "episode_ix": first + row,
                    "sum_reward": float(np.sum(rewards)),
                    "max_reward": float(np.max(rewards)),
                    "success": bool(success),
                    "seed": seed,
                }
            )
    rows = rows[:n_episodes]
    seconds = time.perf_counter() - started
    return {
        "per_episode": rows,
        "aggregated": {
            "avg_sum_reward": float(np.mean([row["sum_reward"] for row in rows])),
            "avg_max_reward": float(np.mean([row["max_reward"] for row in rows])),
            "pc_success": float(np.mean([row["success"] for row in rows]) * 100),
            "eval_s": seconds,
            "eval_ep_s": seconds / n_episodes,
        },
    }


def _play(
    env: Any, policy: Any, before: Sequence[Any], after: Sequence[Any], seeds: list[int] | None
) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """One episode in each environment: rewards and success."""
    policy.reset()
    for pipeline in (*before, *after):
        pipeline.reset()
    tasks = list(env.get_attr("task_description"))
    observation, _ = env.reset(seed=seeds)
    running = np.ones(env.num_envs, bool)
    success = np.zeros(env.num_envs, bool)
    rewards: list[list[float]] = [[] for _ in range(env.num_envs)]
    while running.any():
        batch = {**preprocess_observation(observation), "task": tasks}
        for pipeline in before:
            batch = pipeline(batch)
        with torch.inference_mode():
            action = policy.select_action(batch)
        action = after[0](action)
        action = after[1].process_action(action)
        observation, reward, terminated, truncated, info = env.step(action.float().cpu().numpy())
        for row in np.flatnonzero(running):
            rewards[row].append(float(reward[row]))
        ended = running & (terminated | truncated)
        success[ended] = np.asarray(info["is_success"])[ended]
        running &= ~ended
    return [np.array(each) for each in rewards], success
