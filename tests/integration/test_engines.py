"""Clusters: what Ray on two nodes and SLURM's job arrays make is what this machine makes, byte by byte."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from large_jobs import JOBS, content, run, write_inputs

from lerobot.act.config import ACTConfig
from lerobot.core.config import load
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.slurm.stand_in import install

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EPISODES = 60
LOCAL = ("--executor.type=local", "--executor.workers=1")


@pytest.fixture(scope="module")
def ray_flags() -> Iterator[tuple[str, ...]]:
    """A cluster of two nodes with a core each."""
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        cluster.add_node(num_cpus=1)
    signal.signal(signal.SIGTERM, handler)
    yield ("--executor.type=ray", f"--executor.address={cluster.address}")
    cluster.shutdown()


@pytest.fixture
def slurm_flags(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Commands of SLURM that run the tasks of arrays on this machine."""
    folder = install(tmp_path_factory.mktemp("slurm") / "bin")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return ("--executor.type=slurm", "--executor.workers=2", "--executor.poll_s=0.2")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


@pytest.mark.parametrize("engine", ["ray", "slurm"])
def test_recordings_are_imported_and_encoded_to_the_same_bytes(
    inputs: Path, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    flags = request.getfixturevalue(f"{engine}_flags")
    for job in JOBS:
        run(job, inputs, tmp_path / "here" / job, *LOCAL)
        run(job, inputs, tmp_path / "there" / job, *flags)
        assert content(tmp_path / "there" / job) == content(tmp_path / "here" / job)
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == sorted(JOBS)


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ACT that nobody trained: its actions depend on every pixel and joint."""
    torch.manual_seed(0)
    features = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
        "observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 48, 64)),
        "action": PolicyFeature(type=FeatureType.ACTION, shape=(6,)),
    }
    sizes = {"dim_model": 64, "n_heads": 4, "dim_feedforward": 128, "chunk_size": 8, "n_action_steps": 4}
    config = ACTConfig.model_validate({"device": "cpu", "pretrained_backbone_weights": None, **sizes})
    stats = {
        key: {"mean": torch.zeros(each.shape[0]), "std": torch.full(each.shape[:1], spread)}
        for (key, each), spread in zip(features.items(), (30.0, 0.3, 60.0), strict=True)
    }
    policy = make_policy(config, features)
    folder = tmp_path_factory.mktemp("act")
    PolicyWithProcessors(policy, make_pre_post_processors(policy.config, stats)).save_pretrained(folder)
    return folder


def played(act: Path, folder: Path, *more: str) -> dict[str, Any]:
    flags = [
        f"--policy.path={act}",
        f"--output_dir={folder}",
        "--env.type=sim",
        "--env.task=push",
        "--env.cameras=[front]",
        "--env.width=64",
        "--env.height=48",
        "--env.renderer=painter",
        "--env.episode_length=10",
        f"--eval.n_episodes={EPISODES // 3}",
        "--eval.seeds=[0,1,2]",
        "--eval.n_videos=0",
    ]
    eval_command(load(EvalPipelineConfig, [*flags, *more]).config)
    results: dict[str, Any] = json.loads((folder / "eval_info.json").read_text())
    return {"per_seed": results["per_seed"], **results["per_task"][0]["metrics"]}


@pytest.fixture(scope="module")
def serial(act: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process plays, one episode after the other."""
    found = played(act, tmp_path_factory.mktemp("serial"), "--eval.batch_size=1")
    assert len(set(found["sum_rewards"])) == EPISODES
    return found


@pytest.mark.parametrize("engine", ["local", "ray", "slurm"])
def test_sixty_episodes_are_the_same_on_every_engine(
    act: Path, tmp_path: Path, serial: dict[str, Any], engine: str, request: pytest.FixtureRequest
) -> None:
    local = ("--executor.type=local", "--executor.workers=2")
    flags = local if engine == "local" else request.getfixturevalue(f"{engine}_flags")
    assert played(act, tmp_path, *flags, "--eval.shard_episodes=20") == serial
