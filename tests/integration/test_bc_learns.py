"""Small networks learn the virtual arm's reach from its joints and the ball's place, and rewards tell good from bad.

Demonstrations are those of the scripted expert with an unsteady hand; of `spoiled` ones half go to the wrong place.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.report import wilson_interval
from lerobot.sim.config import SimEnvConfig
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import to_units
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

LONGEST, PLAYED, FPS = 50, 100, 10
EPISODES = 200
every_seed = pytest.mark.parametrize("seed", [0, 1, 2])
ENV: dict[str, Any] = {"task": "reach", "fps": FPS, "episode_length": LONGEST, "objects": True, "reward": "sparse"}
FEATURES = {
    key: {"dtype": "float32", "shape": (size,), "names": None}
    for key, size in (
        ("observation.state", 6),
        ("observation.environment_state", 3),
        ("action", 6),
        ("next.reward", 1),
    )
}
MLP = ("--policy.hidden_dims=[256, 256]", "--batch_size=128")
NETWORKS = {
    # What it is to do next looks much like where it is: noise keeps it from copying that.
    "bc_mlp": (*MLP, "--steps=4000", "--dataset.state_noise=0.1"),
    "bc_rnn": ("--policy.rnn_dim=128", "--steps=4000", "--batch_size=128"),
    "bc_transformer": (
        "--policy.width=64",
        "--policy.layers=2",
        "--policy.heads=4",
        "--policy.dropout=0",
        "--policy.supervise_all_steps=true",
        "--steps=6000",
        "--batch_size=32",
    ),
}
UNSTEADY_DEG = 1.0
"""Of the expert's hand."""


def record(root: Path, skill: Skill) -> int:
    """Let the expert play; gives how often it succeeded."""
    dataset = LeRobotDataset.create("test/reach", FPS, FEATURES, root)
    env = SimEnvConfig(**ENV, cameras=()).build()
    expert, successes = Expert(env.world, skill), 0
    for episode in range(EPISODES):
        seen, _ = env.reset(seed=10_000 + episode)
        ended = cut = reached = False
        while not ended and not cut:
            action = np.array(list(to_units(expert.command()).values()), np.float32)
            frame = {
                "observation.state": seen["agent_pos"],
                "observation.environment_state": seen["environment_state"],
                "action": action,
                "task": "reach",
            }
            seen, reward, solved, cut, _ = env.step(action)
            dataset.add_frame({**frame, "next.reward": np.array([reward], np.float32)})
            ended, reached = expert.is_done, reached or solved
        dataset.save_episode()
        successes += reached
    dataset.finalize()
    env.close()
    return successes


def learned(data: Path, folder: Path, seed: int, *flags: str) -> list[bool]:
    """Train, and play starts that nobody demonstrated; whether each was solved."""
    asked = [
        *flags,
        f"--seed={seed}",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.optimizer_lr=1e-3",
        "--scheduler.type=cosine_annealing_with_warmup",
        "--scheduler.num_warmup_steps=100",
        "--dataset.repo_id=test/reach",
        f"--dataset.root={data}",
        "--num_workers=0",
        "--log_freq=500",
        f"--output_dir={folder / 'run'}",
    ]
    assert train(load(TrainPipelineConfig, asked).config) == 0
    played = [
        f"--policy.path={folder / 'run/checkpoints/last/pretrained_model'}",
        "--policy.device=cpu",
        "--env.type=sim",
        "--env.cameras=[]",
        *(f"--env.{name}={str(value).lower()}" for name, value in ENV.items()),
        f"--eval.n_episodes={PLAYED}",
        "--eval.batch_size=1",
        "--eval.n_videos=0",
        "--seed=0",
        f"--output_dir={folder / 'played'}",
    ]
    eval_command(load(EvalPipelineConfig, played).config)
    result: dict[str, Any] = json.loads((folder / "played/eval_info.json").read_text())
    rate, (low, high) = result["overall"]["pc_success"], result["overall"]["pc_success_interval_95"]
    print(f"{folder.name}: {rate:.0f} % ({low:.0f} to {high:.0f})", flush=True)
    return [bool(each) for each in result["per_task"][0]["metrics"]["successes"]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("good") / "data"
    successes = record(root, Skill(noise_deg=UNSTEADY_DEG))
    print(f"\nrecorded: {successes} of {EPISODES} succeed", flush=True)
    return root


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("spoiled") / "data"
    successes = record(root, Skill(noise_deg=UNSTEADY_DEG, failure_rate=0.5))
    print(f"\nrecorded: {successes} of {EPISODES} succeed", flush=True)
    assert 0.4 * EPISODES < successes < 0.6 * EPISODES
    return root


@every_seed
@pytest.mark.parametrize("kind", NETWORKS)
def test_it_reaches(kind: str, seed: int, good: Path, tmp_path: Path) -> None:
    found = learned(good, tmp_path / f"{kind}_{seed}", seed, f"--policy.type={kind}", *NETWORKS[kind])
    assert len(found) == PLAYED
    assert np.mean(found) >= 0.9


@every_seed
def test_rewards_tell_good_from_bad(seed: int, spoiled: Path, tmp_path: Path) -> None:
    """Of demonstrations half of which go to the wrong place RWR makes more than BC, intervals apart."""
    flags = ("--policy.type=bc_mlp", "--policy.head=gaussian", "--steps=4000", *MLP)
    weighted = ("--policy.objective=rwr", "--policy.temperature=0.3", "--policy.discount=0.98")
    copied = learned(spoiled, tmp_path / f"bc_{seed}", seed, *flags)
    better = learned(spoiled, tmp_path / f"rwr_{seed}", seed, *flags, *weighted)
    assert interval(better)[0] > interval(copied)[1]


def interval(found: list[bool]) -> tuple[float, float]:
    """Where the rate lies, 95 %, by Wilson."""
    return wilson_interval(sum(found), len(found))
