"""TD-MPC learns from recordings with rewards of the xArm's lift, about half of which fail: it comes to lift."""

import json
import math
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.xarm.config import XArmConfig
from lerobot.xarm.expert import Expert

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

EPISODES, LONGEST, PLAYED = 120, 50, 20
UNSTEADY = (0.2, 0.4, 0.7)
"""How far the expert's hand goes astray, in turn from episode to episode, of actions from -1 to 1."""

FEATURES = {
    "observation.state": {"dtype": "float32", "shape": (28,), "names": None},
    "action": {"dtype": "float32", "shape": (4,), "names": None},
    "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
}


def record(root: Path) -> tuple[int, list[float]]:
    """Let an expert whose hand is unsteady play; gives how often it succeeded, and its returns."""
    dataset = LeRobotDataset.create("test/lift", 15, FEATURES, root)
    env = XArmConfig(obs_type="state", episode_length=LONGEST).build()
    successes, returns = 0, []
    for episode in range(EPISODES):
        rng, astray, ended = np.random.default_rng(episode), np.zeros(4), False
        state, _ = env.reset(seed=10_000 + episode)
        expert, total = Expert(env.scene), 0.0
        while not ended:
            astray = 0.8 * astray + 0.6 * UNSTEADY[episode % 3] * rng.normal(size=4)
            action = np.clip(expert.act() + astray, -1, 1).astype(np.float32)
            seen = state.astype(np.float32)
            state, reward, solved, cut, _ = env.step(action)
            rewarded = np.array([reward], np.float32)
            dataset.add_frame({"observation.state": seen, "action": action, "next.reward": rewarded, "task": "lift"})
            total, ended = total + reward, solved or cut
        dataset.save_episode()
        successes, returns = successes + solved, [*returns, total]
    dataset.finalize()
    env.close()
    return successes, returns


def played(policy: Path, folder: Path) -> dict[str, Any]:
    flags = [
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--env.type=xarm",
        "--env.obs_type=state",
        "--env.episode_length=80",
        f"--eval.n_episodes={PLAYED}",
        "--eval.batch_size=1",
        "--eval.n_videos=0",
        f"--output_dir={folder}",
    ]
    eval_command(load(EvalPipelineConfig, flags).config)
    result: dict[str, Any] = json.loads((folder / "eval_info.json").read_text())
    return result


def interval(returns: list[float]) -> tuple[float, float]:
    """Where the mean lies, 95 %."""
    spread = 1.96 * stdev(returns) / math.sqrt(len(returns))
    return mean(returns) - spread, mean(returns) + spread


def test_it_lifts(tmp_path: Path) -> None:
    successes, returns = record(tmp_path / "data")
    print(f"\nrecorded: {successes} of {EPISODES} succeed, return {mean(returns):.3f}")
    flags = [
        "--policy.type=tdmpc",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.normalization_mapping={STATE: MEAN_STD, ACTION: MIN_MAX}",
        "--policy.horizon=3",
        "--policy.n_action_repeats=1",
        "--policy.mlp_dim=128",
        "--policy.latent_dim=32",
        "--policy.state_encoder_hidden_dim=128",
        "--policy.q_ensemble_size=2",
        "--policy.n_gaussian_samples=64",
        "--policy.n_pi_samples=16",
        "--policy.n_elites=12",
        "--policy.cem_iterations=3",
        # Rewards are at most 0.15 here, and what is better shall count as much as with rewards of 1.
        "--policy.advantage_scaling=5",
        "--policy.elite_weighting_temperature=10",
        "--policy.optimizer_lr=5e-4",
        "--dataset.repo_id=test/lift",
        f"--dataset.root={tmp_path / 'data'}",
        "--dataset.in_memory=true",
        "--num_workers=0",
        "--batch_size=128",
        "--log_freq=200",
    ]
    found = {}
    for name, steps in (("before", 1), ("after", 6000)):
        run = tmp_path / name
        assert train(load(TrainPipelineConfig, [*flags, f"--steps={steps}", f"--output_dir={run}"]).config) == 0
        result = played(run / "checkpoints/last/pretrained_model", tmp_path / f"{name}_played")
        task, overall = result["per_task"][0], result["overall"]
        rate, low, high = overall["pc_success"], *overall["pc_success_interval_95"]
        gained = interval(task["metrics"]["sum_rewards"])
        print(f"{name}: {rate:.0f} % ({low:.0f} to {high:.0f}), return {overall['avg_sum_reward']:.3f} ({gained})")
        found[name] = ((low, high), gained)
    for before, after in zip(found["before"], found["after"], strict=True):
        assert after[0] > before[1]
