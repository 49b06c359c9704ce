"""QC-FQL goes on from recordings, half of which fail, to what it does itself, paid by success: reaching for a ball."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.cli.app import main
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.sim.config import SimEnvConfig
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import to_units

ENV = (
    "--env.type=sim",
    "--env.task=reach",
    "--env.cameras=[]",
    "--env.objects=true",
    "--env.reward=sparse",
    "--env.fps=10",
    "--env.episode_length=30",
)


def number(count: int, dtype: str = "float32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": (count,), "names": None}


FEATURES = {
    "observation.state": number(6),
    "observation.environment_state": number(3),
    "action": number(6),
    "next.reward": number(1),
    "next.done": number(1, "bool"),
    "next.success": number(1, "bool"),
}


def record(root: Path, episodes: int) -> int:
    """Let an expert play whose hand is unsteady, and who is wrong half the time; gives how often it succeeded."""
    dataset = LeRobotDataset.create("test/reach", 10, FEATURES, root)
    env = SimEnvConfig(task="reach", cameras=(), objects=True, reward="sparse", fps=10, episode_length=30).build()
    successes = 0
    for episode in range(episodes):
        seen, _ = env.reset(seed=10_000 + episode)
        expert, ended = Expert(env.world, Skill(noise_deg=3, failure_rate=0.5)), False
        while not ended:
            action = np.array(list(to_units(expert.command()).values()), np.float32)
            before = seen
            seen, reward, solved, cut, _ = env.step(action)
            ended = solved or cut
            row = {"observation.state": before["agent_pos"], "action": action, "task": "reach"}
            row["observation.environment_state"] = before["environment_state"]
            dataset.add_frame({**row, "next.reward": np.float32([reward]), "next.done": ended, "next.success": solved})
        dataset.save_episode()
        successes += solved
    dataset.finalize()
    env.close()
    return successes


def learn(root: Path, run: Path, steps: int, *flags: str) -> Path:
    """Learn from recordings alone."""
    where = ("--dataset.repo_id=test/reach", f"--dataset.root={root}", "--dataset.in_memory=true", "--num_workers=0")
    kind = ("--policy.type=qcfql", "--policy.device=cpu", "--policy.push_to_hub=false", "--policy.reward_offset=-1")
    assert main(["lerobot", "train", *kind, *where, *flags, f"--steps={steps}", f"--output_dir={run}"]) == 0
    return run / "checkpoints/last/pretrained_model"


def practise(policy: Path, root: Path, run: Path, steps: int, *flags: str) -> Path:
    """Learn from what it does, beside the recordings."""
    where = ("--dataset.repo_id=test/reach", f"--dataset.root={root}", f"--online.steps={steps}")
    assert main(["lerobot", "train-rl", f"--policy.path={policy}", *ENV, *where, *flags, f"--output_dir={run}"]) == 0
    return run / "checkpoints/last/pretrained_model"


def successes(policy: Path, played: Path) -> int:
    """Of 200 episodes that nobody recorded."""
    where = (f"--policy.path={policy}", "--policy.device=cpu", "--seed=0", f"--output_dir={played}")
    how_many = ("--eval.n_episodes=200", "--eval.batch_size=1", "--eval.n_videos=0")
    assert main(["lerobot", "eval", *where, *how_many, *ENV]) == 0
    found = json.loads((played / "eval_info.json").read_text())
    return sum(found["per_task"][0]["metrics"]["successes"])


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_practice_makes_it_better(tmp_path: Path) -> None:
    """By more than chance: two standard deviations of the difference of two such numbers of successes."""
    record(tmp_path / "data", 60)
    settings = ("hidden_dims=[128,128,128]", "actor=best_of_n", "flow_steps=5", "tau=0.02", "discount=0.95")
    flags = [f"--policy.{each}" for each in (*settings, "optimizer_lr=1e-3")]
    recorded = learn(tmp_path / "data", tmp_path / "offline", 3000, *flags, "--batch_size=128", "--seed=0")
    quick = ("--algorithm.type=qcfql", "--algorithm.lr=1e-3", "--batch_size=128")
    unhurt = ("--safety.ramp_s=0", "--safety.max_velocity=400")
    practised = practise(recorded, tmp_path / "data", tmp_path / "online", 5000, *quick, *unhurt)
    before, after = (successes(each, tmp_path / f"played_{each.parts[-4]}") for each in (recorded, practised))
    print(f"{before} of 200 from recordings, {after} after practice", flush=True)
    rate = (before + after) / 400
    assert after - before > 2 * (2 * 200 * rate * (1 - rate)) ** 0.5


def test_it_goes_on_from_recordings_to_practice(tmp_path: Path) -> None:
    record(tmp_path / "data", 2)
    policy = learn(tmp_path / "data", tmp_path / "offline", 2, "--policy.hidden_dims=[16]", "--batch_size=8")
    online = practise(
        policy, tmp_path / "data", tmp_path / "online", 31, "--online.warmup_steps=20", "--batch_size=8",
        "--safety.ramp_s=0.2",
    )  # fmt: skip
    replay = LeRobotDataset("replay", tmp_path / "online/replay")
    assert replay.num_episodes >= 1
    weights = [each / "model.safetensors" for each in (policy, online)]
    assert weights[0].read_bytes() != weights[1].read_bytes()
    assert json.loads((online / "train_config.json").read_text())["algorithm"]["type"] == "qcfql"
