"""A `~` in a path that Python hands over is the home folder, as it is in flags and files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.fake.config import FakeRobotConfig
from lerobot.dataset_tools.conversion.convert import import_dataset
from lerobot.dataset_tools.edit.derived import repair
from lerobot.dataset_tools.edit.report import describe_dataset
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.dataset_tools.edit.swap import undo
from lerobot.dataset_tools.formats.npz import NpzConfig, open_npz
from lerobot.dataset_tools.verification import verify_dataset
from lerobot.datasets.checks.structure import check_structure
from lerobot.datasets.commands.record import DatasetRecordConfig
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.hub.pull import fetch_metadata
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.reader.source import open_source
from lerobot.datasets.replay.episode import load_episode
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
from lerobot.datasets.writer.recorder import DatasetRecorder
from lerobot.envs.config import HubEnvConfig
from lerobot.kinematics.config import KinematicsConfig
from lerobot.motors import MotorCalibration, find_calibration, load_calibration, save_calibration
from lerobot.policies.processing.config import TokenizerConfig
from lerobot.training.config import EpisodesConfig

SET = Path("~/set")
FEATURES = {name: {"dtype": "float32", "shape": (2,), "names": ["x", "y"]} for name in ("action", "observation.state")}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder; where this process stands, nothing may appear."""
    folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(elsewhere)
    yield folder
    assert not list(elsewhere.iterdir())


def add_episode(recorder: Any, task: str = "push") -> None:
    for _ in range(2):
        recorder.add_frame({**{key: np.zeros(2, np.float32) for key in FEATURES}, "task": task})
    recorder.save_episode()


@pytest.fixture
def recorded(home: Path) -> Path:
    add_episode(dataset := LeRobotDataset.create("me/set", 30, FEATURES, str(SET)))
    dataset.finalize()
    add_episode(dataset := LeRobotDataset.resume("me/set", str(SET)))
    dataset.finalize()
    return home / "set"


def test_datasets(recorded: Path) -> None:
    assert (recorded / "meta/info.json").is_file()
    for root in (SET, str(SET)):
        for opened in (LeRobotDataset("me/set", root), StreamingLeRobotDataset("me/set", root)):
            assert opened.meta.root == recorded
    assert LeRobotDatasetMetadata("me/set", SET).root == fetch_metadata("me/set", SET) == recorded
    assert open_source(SET).root == recorded
    assert load_episode("me/set", SET, 1).actions.shape == (2, 2)
    assert check_structure(SET) == []
    assert not [finding for finding in verify_dataset(SET) if finding.severity == "error"]
    assert str(recorded) in describe_dataset("me/set", SET)
    with DatasetRecorder.resume(SET) as recorder:
        add_episode(recorder)
    assert LeRobotDatasetMetadata("me/set", recorded).total_episodes == 3


def test_edits(recorded: Path) -> None:
    home = recorded.parent
    assert delete_episodes(SET, [0], Path("~/one")).root == home / "one"
    assert repair(SET).backup == undo(SET) == home / "set_old"
    assert split(SET, {"a": [0]}) == {"a": home / "set_a"}
    assert split(SET, {"b": [1]}, Path("~/parts")) == {"b": home / "parts/b"}
    assert merge([SET, Path("~/one")], Path("~/all")).root == home / "all"
    assert LeRobotDatasetMetadata("me/all", home / "all").total_episodes == 3


def test_imports(home: Path) -> None:
    np.savez(home / "episode_0.npz", action=np.zeros((3, 2), "f4"), task="push", fps=10)
    result = import_dataset(open_npz(NpzConfig(path=Path("~/episode_0.npz"))), SET)
    assert (result.root, result.frames) == (home / "set", 3)


def test_calibrations(home: Path) -> None:
    calibration = {"gripper": MotorCalibration(id=1, drive_mode=0, homing_offset=0, range_min=0, range_max=4095)}
    file = find_calibration("robots", "so_follower", "black", Path("~/calibration"))
    assert file == home / "calibration/black.json"
    save_calibration(Path("~/black.json"), calibration)
    assert json.loads((home / "black.json").read_text())["gripper"]["id"] == 1
    assert load_calibration(Path("~/black.json")) == calibration


def test_configurations_made_in_python(home: Path) -> None:
    assert FakeRobotConfig(calibration_dir="~/c").calibration_dir == home / "c"
    assert FakeRobotConfig(calibration_dir=Path("~/c")).calibration_dir == home / "c"
    assert DatasetRecordConfig(repo_id="me/set", single_task="push", root=SET).root == home / "set"
    assert KinematicsConfig(urdf_path="~/x", joint_names=["a"]).urdf_path == f"{home}/x"
    assert EpisodesConfig(repo_id="me/set", root="~/x").root == f"{home}/x"
    assert HubEnvConfig(hub_path="~/x:env.py").hub_path == f"{home}/x:env.py"
    assert TokenizerConfig(tokenizer_name="~/x").tokenizer_name == f"{home}/x"
