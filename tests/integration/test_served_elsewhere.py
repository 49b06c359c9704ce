"""A policy and an environment, each in a virtual environment of its own, play what they would play here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors

ROOT = Path(__file__).resolve().parents[2]
SIM = ("--env.type=sim", "--env.cameras=[front]", "--env.width=64", "--env.height=64", "--env.episode_length=6")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained ACT for the virtual arm."""
    torch.manual_seed(0)
    config = ACTConfig(
        input_features={
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
            "observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 64, 64)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(6,))},
        vision_backbone="resnet8", pretrained_backbone_weights=None, dim_model=32, n_heads=4, chunk_size=4,
        n_action_steps=2, device="cpu",
    )  # fmt: skip
    stats: dict[str, Any] = {
        key: {"mean": torch.zeros(size), "std": torch.full((size,), scale)}
        for key, size, scale in (("observation.state", 6, 60.0), ("action", 6, 20.0))
    }
    stats["observation.images.front"] = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.3)}
    PolicyWithProcessors(config.build(), make_processors(config, stats)).save_pretrained(tmp_path / "act")
    return tmp_path / "act"


@contextmanager
def served(environment: Path, packages: tuple[str, ...], *flags: str) -> Iterator[str]:
    """The address of `lerobot serve` in an environment that holds these packages and what they need."""
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)}
    env.pop("VIRTUAL_ENV", None)
    names = [f"--package={name}" for name in packages]
    subprocess.run(["uv", "sync", "-q", "--frozen", "--no-dev", *names], cwd=ROOT, env=env, check=True, timeout=300)
    command = [str(environment / "bin" / "lerobot"), "serve", "--port=0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().partition("serving at ")[2].partition(";")[0]
        finally:
            process.terminate()


def rewards(output: Path, *flags: str) -> list[float]:
    lerobot = Path(sys.executable).parent / "lerobot"
    fixed = ("--eval.n_episodes=2", "--eval.batch_size=1", "--eval.n_videos=0", "--seed=5", f"--output_dir={output}")
    subprocess.run([str(lerobot), "eval", *fixed, *flags], check=True, timeout=250)
    found = json.loads((output / "eval_info.json").read_text(encoding="utf-8"))
    return list(found["per_task"][0]["metrics"]["sum_rewards"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_elsewhere_scores_as_both_here(checkpoint: Path, tmp_path: Path) -> None:
    expected = rewards(tmp_path / "here", f"--policy.path={checkpoint}", *SIM)
    with ExitStack() as stack:
        policy = stack.enter_context(
            served(tmp_path / "one", ("lerobot-act", "lerobot-rollout"), f"--policy.path={checkpoint}")
        )
        env = stack.enter_context(served(tmp_path / "other", ("lerobot-sim", "lerobot-remote", "lerobot-envs"), *SIM))
        assert not list((tmp_path / "other").glob("lib/*/site-packages/lerobot_act*")), "it has packages of its own"
        far = (f"--policy.address={policy}", "--policy.type=remote", "--policy.image_format=raw")
        found = rewards(tmp_path / "elsewhere", *far, "--env.type=remote", f"--env.address={env}")
    assert len(set(expected)) == 2
    assert found == pytest.approx(expected, abs=1e-5)
