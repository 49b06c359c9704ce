"""Ctrl-C at random instants of every command that takes long: it ends with 130, and what it leaves is valid."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.format.info import load_info
from lerobot.datasets.lerobot_dataset import LeRobotDataset

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / "packages"
LENGTH, EPISODES = 40, 6

Run = Callable[[list[str], Path, str, float], tuple[bool, int, float]]
HOW = ("signal", "in_callback", "in_del")


@pytest.fixture(scope="module")
def endpoint(recorded: Path) -> Iterator[str]:
    """A stand-in of the Hub that holds the recorded dataset, and takes its time."""
    spec = spec_from_file_location("hub_stand_in", PACKAGES / "lerobot-datasets/tests/hub/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    stand_in = module_from_spec(spec)
    sys.modules[spec.name] = stand_in
    spec.loader.exec_module(stand_in)
    hub = stand_in.StandIn(pause_s=0.05)
    files = {str(path.relative_to(recorded)): path.read_bytes() for path in recorded.rglob("*") if path.is_file()}
    hub.repositories["test/set"] = stand_in.Repository()
    hub.repositories["test/set"].tags["v3.0"] = hub.repositories["test/set"].commit("main", files)
    server = stand_in.start(hub)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def run(endpoint: str) -> Iterator[Run]:
    """See `interrupted_commands.run`."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    hub = {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "no_proxy": "127.0.0.1"}
    environ = {**own, **hub, "PYTHONPATH": str(PACKAGES / "lerobot-training/tests")}
    server = [sys.executable, str(HERE / "interrupted_commands.py")]
    with subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def job(words: list[str], log: Path, how: str, after_s: float) -> tuple[bool, int, float]:
            process.stdin.write(json.dumps([words, str(log), how, after_s]) + "\n")
            process.stdin.flush()
            had_ended, code, seconds = json.loads(process.stdout.readline())
            return had_ended, code, seconds

        yield job
        process.stdin.close()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six episodes with a camera."""
    root = tmp_path_factory.mktemp("recorded") / "set"
    vector = {"dtype": "float32", "shape": (3,), "names": None}
    image = {"dtype": "video", "shape": (48, 64, 3), "names": ["height", "width", "channels"]}
    features: dict[str, Any] = {
        "observation.state": vector,
        "action": {**vector, "shape": (2,)},
        "observation.images.top": image,
    }
    made = LeRobotDataset.create("test/set", 10, features, root)
    rng = np.random.default_rng(0)
    for _ in range(EPISODES):
        for _ in range(LENGTH):
            state = rng.normal(size=3).astype(np.float32)
            shade = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
            made.add_frame(
                {"observation.state": state, "action": state[:2], "observation.images.top": shade, "task": "t"}
            )
        made.save_episode()
    made.finalize()
    return root


def no_errors(root: Path) -> None:
    assert [str(finding) for finding in verify_dataset(root) if finding.severity == "error"] == []


@dataclass(frozen=True)
class Command:
    """A command and what must hold after its interruption, given its folder and what it said."""

    words: Callable[[Path, Path], list[str]]
    check: Callable[[Path, str], None]


def importing(recorded: Path, folder: Path) -> list[str]:
    path = recorded.with_name("source.hdf5")
    if not path.exists():
        rng = np.random.default_rng(0)
        with h5py.File(path, "w") as file:
            for number in range(EPISODES):
                demo = file.create_group(f"data/demo_{number}")
                demo["actions"] = np.arange(LENGTH, dtype="f4")[:, None]
                demo["obs/front_image"] = rng.integers(0, 255, (LENGTH, 32, 32, 3)).astype(np.uint8)
    return [
        "convert-dataset",
        "--from=robomimic",
        f"--from.path={path}",
        f"--root={folder / 'set'}",
        "--fps=10",
        "--task=t",
    ]


def imported(folder: Path, said: str) -> None:
    root = folder / "set"
    if not root.exists():
        return
    saved = load_info(root).total_episodes
    assert re.search(rf"\b{saved} episode", said), said
    no_errors(root)


def deleting(recorded: Path, folder: Path) -> list[str]:
    shutil.copytree(recorded, folder / "set", dirs_exist_ok=True)
    return [
        "edit-dataset",
        f"--root={folder / 'set'}",
        "--operation.type=delete_episodes",
        "--operation.episode_indices=[1]",
    ]


def edited(folder: Path, said: str) -> None:
    episodes = load_info(folder / "set").total_episodes
    assert episodes == EPISODES - (folder / "set_old").exists()
    assert ("no dataset was changed" in said) <= (episodes == EPISODES)
    assert not (folder / ".set.editing").exists()
    no_errors(folder / "set")


def verifying(recorded: Path, folder: Path) -> list[str]:
    return ["verify-dataset", f"--root={recorded}"]


def recording(recorded: Path, folder: Path) -> list[str]:
    flags = ["num_episodes=3", "episode_time_s=0.3", "reset_time_s=0.1", "fps=20", "single_task=t", "push_to_hub=false"]
    return [
        "record",
        "--robot.type=fake",
        "--teleop.type=fake",
        "--safety.ramp_s=0.2",
        "--dataset.repo_id=test/set",
        f"--dataset.root={folder / 'set'}",
        *(f"--dataset.{flag}" for flag in flags),
    ]


def kept(folder: Path, said: str) -> None:
    root = folder / "set"
    if (root / "meta/info.json").exists() and (saved := load_info(root).total_episodes):
        assert re.search(rf"\b{saved} episode", said), said
        no_errors(root)


def training(recorded: Path, folder: Path) -> list[str]:
    return [
        "train",
        f"--dataset.root={recorded}",
        "--dataset.repo_id=test/set",
        "--policy.discover_packages_path=tiny_policy",
        "--policy.type=tiny",
        "--policy.device=cpu",
        f"--output_dir={folder / 'run'}",
        "--num_workers=0",
        "--batch_size=4",
        "--steps=30",
        "--save_freq=10",
    ]


def trained(folder: Path, said: str) -> None:
    from safetensors import safe_open

    checkpoints = folder / "run/checkpoints"
    if not checkpoints.exists():
        return
    last = checkpoints / "last"
    with safe_open(last / "pretrained_model/model.safetensors", "np") as weights:
        assert weights.keys()
    assert str(last.resolve()) in said
    assert not list(checkpoints.glob(".*"))


def downloading(recorded: Path, folder: Path) -> list[str]:
    words = training(recorded, folder)
    return [*words[:1], f"--dataset.root={folder / 'set'}", *words[2:-2], "--steps=1"]


def downloaded(folder: Path, said: str) -> None:
    """Every file that is there is whole."""
    root, whole = folder / "set", folder.with_name("whole") / "set"
    for path in root.rglob("*"):
        if path.is_file() and ".cache" not in path.parts:
            assert path.read_bytes() == (whole / path.relative_to(root)).read_bytes(), said


def evaluating(recorded: Path, folder: Path) -> list[str]:
    return [
        "eval",
        "--env.type=pusht",
        "--env.episode_length=60",
        "--policy.type=diffusion",
        "--policy.device=cpu",
        "--policy.down_dims=[16,32]",
        "--policy.num_inference_steps=1",
        "--policy.pretrained_backbone_weights=null",
        '--policy.normalization_mapping={"VISUAL": "IDENTITY", "STATE": "IDENTITY", "ACTION": "IDENTITY"}',
        "--eval.n_episodes=2",
        "--eval.batch_size=1",
        f"--output_dir={folder / 'eval'}",
    ]


def evaluated(folder: Path, said: str) -> None:
    report = folder / "eval/eval_info.json"
    assert not report.exists() or json.loads(report.read_text())["overall"]["n_episodes"] == 2, said


COMMANDS = {
    "convert-dataset": Command(importing, imported),
    "edit-dataset": Command(deleting, edited),
    "verify-dataset": Command(verifying, lambda _folder, _said: None),
    "record": Command(recording, kept),
    "train": Command(training, trained),
    "download": Command(downloading, downloaded),
    "eval": Command(evaluating, evaluated),
}


@pytest.mark.parametrize("instants", [1, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_interruption_at_any_instant(run: Run, recorded: Path, tmp_path: Path, name: str, instants: int) -> None:
    command, log, random_s = COMMANDS[name], tmp_path / "log", random.SystemRandom().uniform
    (tmp_path / "whole").mkdir()
    _, code, seconds = run(command.words(recorded, tmp_path / "whole"), log, "signal", 600)
    assert code == 0, log.read_text()
    number, first = 0, list(COMMANDS).index(name)
    while number < instants:
        folder = tmp_path / "cut"
        folder.mkdir()
        instant = random_s(0, seconds)
        how = HOW[(first + number) % len(HOW)]
        had_ended, code, _ = run(command.words(recorded, folder), log, how, instant)
        said = log.read_text() if log.exists() else ""
        assert code == (0 if had_ended else 130), f"at {instant} of {seconds} s: {said}"
        assert how != "signal" or "Traceback" not in said, said
        command.check(folder, said)
        number += not had_ended
        seconds = instant if had_ended else seconds
        shutil.rmtree(folder)
