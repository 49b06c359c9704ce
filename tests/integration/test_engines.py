"""Clusters: what Ray on two nodes and SLURM's job arrays make is what this machine makes, byte by byte."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from large_jobs import JOBS, content, run, write_inputs
from small_training import ACT, states, write

from lerobot.act.config import ACTConfig
from lerobot.core.cli.run import run_command
from lerobot.core.config import load
from lerobot.core.errors import JobError
from lerobot.core.signals import StopSignals
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.slurm.stand_in import install

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EPISODES = 60
LOCAL = ("--executor.type=local", "--executor.workers=1")
THERE = ("--output_dir=there", "--launch.log_folder=logs")
"""Where a training of an engine puts what it makes."""


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


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Flags of a short run in the working folder, with demonstrations in it."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "moves", {"observation.environment_state": (5,)})
    data = ["--dataset.root=moves", "--dataset.repo_id=test/moves", "--num_workers=0", "--batch_size=2"]
    return [*data, *ACT, "--policy.device=cpu", "--log_freq=1", "--steps=3"]


@pytest.mark.filterwarnings("ignore::Warning")  # of Ray about itself
@pytest.mark.parametrize("processes", [1, 2])
def test_ray_trains_what_torchrun_does(
    training: list[str], ray_flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], processes: int
) -> None:
    """Weights, moments and random states of each process, to the bit; paths are relative to where we are."""
    assert run_command("train", [*training, *THERE, f"--launch.nodes={processes}", *ray_flags]) == 0
    assert "step 3  loss" in capsys.readouterr().err
    assert [path.name for path in sorted(tmp_path.glob("logs/*.log"))] == [f"rank_{n}.log" for n in range(processes)]
    here = [f"--launch.processes_per_node={processes}", "--executor.type=local"]
    assert run_command("train", [*training, "--output_dir=here", *here]) == 0
    assert states(tmp_path / "there/checkpoints/last") == states(tmp_path / "here/checkpoints/last")


def test_slurm_trains_what_torchrun_does(training: list[str], slurm_flags: tuple[str, ...], tmp_path: Path) -> None:
    size = "--launch.processes_per_node=2"
    assert run_command("train", [*training, *THERE, size, *slurm_flags]) == 0
    assert run_command("train", [*training, "--output_dir=here", size, "--executor.type=local"]) == 0
    until = time.monotonic() + 300
    while not (tmp_path / "there/checkpoints/last").exists():
        assert time.monotonic() < until, [path.read_text() for path in tmp_path.glob("logs/*.out")]
        time.sleep(0.2)
    assert states(tmp_path / "there/checkpoints/last") == states(tmp_path / "here/checkpoints/last")


@pytest.mark.filterwarnings("ignore::Warning")  # of Ray about itself
def test_ray_tells_what_went_wrong(
    training: list[str], ray_flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next((tmp_path / "moves").glob("data/*/*.parquet")).write_bytes(b"no rows")
    with pytest.raises(JobError, match="it ended with code") as told:
        run_command("train", [*training, *THERE, *ray_flags])
    assert str(tmp_path / "logs") in told.value.hint
    assert "file-000.parquet" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::Warning")  # of Ray about itself
def test_ctrl_c_ends_a_training_on_ray(training: list[str], ray_flags: tuple[str, ...], tmp_path: Path) -> None:
    def press() -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until and not (tmp_path / "there/metrics.csv").is_file():
            time.sleep(0.1)
        if (tmp_path / "there/metrics.csv").is_file():
            os.kill(os.getpid(), signal.SIGINT)

    endless = [flag if flag != "--steps=3" else "--steps=1000000" for flag in training]
    presser = threading.Thread(target=press)
    presser.start()
    with StopSignals(), pytest.raises(KeyboardInterrupt):
        run_command("train", [*endless, *THERE, *ray_flags])
    presser.join()
    until = time.monotonic() + 60
    while any(process.name().startswith("ray::RayTrain") for process in psutil.Process().children(recursive=True)):
        assert time.monotonic() < until
        time.sleep(0.2)
