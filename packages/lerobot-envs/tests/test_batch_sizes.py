"""`lerobot eval` of a real policy in a real environment: how many are played side by side changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.core.config import load
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import FeatureType, PolicyFeature

EPISODES = 8
HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ACT that nobody trained: its actions depend on every pixel and joint."""
    torch.manual_seed(0)
    features = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
        "observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, HEIGHT, WIDTH)),
        "action": PolicyFeature(type=FeatureType.ACTION, shape=(6,)),
    }
    config = ACTConfig(
        device="cpu",
        pretrained_backbone_weights=None,
        dim_model=64,
        n_heads=4,
        dim_feedforward=128,
        chunk_size=8,
        n_action_steps=4,
    )
    stats = {
        key: {"mean": torch.zeros(each.shape[0]), "std": torch.full(each.shape[:1], spread)}
        for (key, each), spread in zip(features.items(), (30.0, 0.3, 60.0), strict=True)
    }
    policy = make_policy(config, features)
    folder = tmp_path_factory.mktemp("act")
    PolicyWithProcessors(policy, make_pre_post_processors(policy.config, stats)).save_pretrained(folder)
    return folder


def played(act: Path, folder: Path, *arguments: str) -> dict[str, Any]:
    flags = [
        f"--policy.path={act}",
        f"--output_dir={folder}",
        "--env.type=sim",
        "--env.task=push",
        "--env.cameras=[front]",
        f"--env.width={WIDTH}",
        f"--env.height={HEIGHT}",
        "--env.renderer=painter",
        "--env.episode_length=20",
        f"--eval.n_episodes={EPISODES}",
        "--eval.n_videos=0",
        "--seed=40",
    ]
    eval_command(load(EvalPipelineConfig, [*flags, *arguments]).config)
    results: dict[str, Any] = json.loads((folder / "eval_info.json").read_text())
    return results["per_task"][0]["metrics"]


def test_batch_sizes_1_3_and_8_play_identical_episodes(act: Path, tmp_path: Path) -> None:
    alone = played(act, tmp_path / "1", "--eval.batch_size=1")
    assert alone["seeds"] == list(range(40, 40 + EPISODES))
    assert len(set(alone["sum_rewards"])) == EPISODES
    for size in (3, 8):
        arguments = (f"--eval.batch_size={size}", "--eval.use_async_envs=false")
        assert played(act, tmp_path / str(size), *arguments) == alone


@pytest.mark.slow
def test_processes_of_their_own_play_them_too(act: Path, tmp_path: Path) -> None:
    alone = played(act, tmp_path / "alone", "--eval.batch_size=1")
    assert played(act, tmp_path / "apart", "--eval.batch_size=3", "--eval.use_async_envs=true") == alone
