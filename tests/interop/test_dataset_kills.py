"""SIGKILL at random instants of recording, finalizing and editing: what was acknowledged is there, here and there.

One process works on a dataset and says what it does; it is killed, the dataset read, and a new process goes on with it.
No step in between repairs anything.
"""

import importlib.util
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent
KIT = HERE.parents[1] / "packages/lerobot-datasets/tests/writer/conftest.py"
CAMERAS = ["observation.images.left", "observation.images.right"]
PER_DATASET = 10
"""Kills before a new dataset is begun, so that reading stays short."""

State = list[list[Any]]


@pytest.fixture(scope="session")
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    return python


@pytest.fixture(scope="session")
def kit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kill_kit", KIT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_kit"] = module
    spec.loader.exec_module(module)
    return module


def work_until_killed(root: Path, state: State, seed: int, lines: int, delay_s: float) -> tuple[list[State], str]:
    """Kill the worker `delay_s` after it said so many lines; the states that are allowed then, and what was going on.

    Lines, not time alone: a busy machine would never come to the later steps.
    """
    command = [sys.executable, str(HERE / "killed_writer.py"), str(root), str(KIT), json.dumps(state), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = b"".join(process.stdout.readline() for _ in range(lines))
        assert first.count(b"\n") == lines, process.stderr.read().decode()
        select.select([], [], [], delay_s)
        assert process.poll() is None, process.stderr.read().decode()
        os.kill(process.pid, signal.SIGKILL)
        said = (first + process.stdout.read()).split(b"\n")[:-1]
    lines = [json.loads(line) for line in said]
    done = [line["state"] for line in lines if "done" in line]
    before = done[-1] if done else state
    if "doing" in lines[-1]:
        return [before, lines[-1]["state"]], lines[-1]["doing"]
    return [before], "nothing"


def frames_of(state: State) -> list[dict[str, Any]]:
    """What every frame of a state shows."""
    return [
        {
            "state": [label, k, label * 1000 + k],
            "pictures": [camera << 22 | label << 14 | k for camera in range(2)],
            "task": task,
        }
        for label, task in state
        for k in range(1 + label % 4)
    ]


def read_here(root: Path, kit: ModuleType) -> list[dict[str, Any]]:
    if not (root / "meta/info.json").exists():
        return []
    dataset = LeRobotDataset("interop/killed", root)
    return [
        {
            "state": item["observation.state"].tolist(),
            "pictures": [c << 22 | e << 14 | k for c, e, k in (kit.read_watermark(item[key]) for key in CAMERAS)],
            "task": item["task"],
        }
        for item in dataset.read_arrays(range(len(dataset)))
    ]


def read_there(peer: str, roots: list[Path], folder: Path) -> dict[str, list[dict[str, Any]]]:
    out = folder / "peer.json"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(folder / "hf")}
    command = [peer, str(HERE / "peer_read_numbers.py"), str(out), *map(str, roots)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, list[dict[str, Any]]] = json.loads(out.read_text())
    return result


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])])
def test_acknowledged_episodes_are_readable_episodes(tmp_path: Path, peer: str, kit: ModuleType, kills: int) -> None:
    rng = random.Random(kills)
    interrupted: Counter[str] = Counter()
    expected: dict[Path, list[dict[str, Any]]] = {}
    root, state = tmp_path, []
    for kill in range(kills):
        if kill % PER_DATASET == 0:
            root, state = tmp_path / f"set{kill}", []
        allowed, step = work_until_killed(root, state, kill, rng.randint(1, 12), rng.uniform(0, 0.3))
        interrupted[step] += 1
        found = read_here(root, kit)
        matching = [candidate for candidate in allowed if frames_of(candidate) == found]
        assert matching, f"kill {kill} while doing {step}: {allowed} does not hold {found}"
        state = matching[0]
        if state:
            expected[Path(shutil.copytree(root, tmp_path / f"kill{kill}"))] = found
    theirs = read_there(peer, list(expected), tmp_path)
    assert {root: theirs[str(root)] for root in expected} == expected
    if kills >= 200:
        assert interrupted.keys() >= {"record", "finalize", "rename", "delete"}
