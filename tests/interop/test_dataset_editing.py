"""Datasets edited and converted here, read by huggingface/lerobot: every key of every frame equal."""

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lerobot.dataset_tools.edit.cameras import convert_image_to_video, reencode_videos
from lerobot.dataset_tools.edit.convert import convert_dataset
from lerobot.dataset_tools.edit.features import add_features, remove_feature
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.dataset_tools.edit.trim import trim
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.recorder import DatasetRecorder

pytestmark = pytest.mark.peer

DATA = Path(__file__).parents[2].parent / "shared/data"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"interop_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


writing = _load("test_dataset_writing")


@pytest.fixture(scope="session")
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    return python


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    with DatasetRecorder.create(tmp_path / "set", 30, writing.FEATURES, robot_type="so101") as recorder:
        writing.record(recorder)
    return tmp_path / "set"


def test_one_edit_after_another(recorded: Path, tmp_path: Path, peer: str) -> None:
    kept = delete_episodes(recorded, [1], tmp_path / "kept").root
    assert writing.check_equal(peer, kept, tmp_path / "kept.npz") == 9
    merged = merge([kept, recorded], tmp_path / "merged").root
    assert writing.check_equal(peer, merged, tmp_path / "merged.npz") == 19
    modify_tasks(merged, new_task="any", episode_tasks={1: "other"})
    add_features(merged, {"extra": (np.arange(19.0), {"dtype": "float32", "shape": (1,), "names": None})})
    remove_feature(merged, ["matrix", "depth.video"])
    assert writing.check_equal(peer, merged, tmp_path / "features.npz") == 19
    parts = split(merged, {"a": [0, 3], "b": [1, 2, 4]})
    assert writing.check_equal(peer, parts["a"], tmp_path / "a.npz") == 6
    assert writing.check_equal(peer, parts["b"], tmp_path / "b.npz", 0, 2) == 8


def test_edits_by_methods(recorded: Path, tmp_path: Path, peer: str) -> None:
    dataset = LeRobotDataset("interop/written", recorded)
    dataset.rename_feature("observation.state", "observation.joints").add_feature("weight", "float64", values=0.5)
    trim(recorded, start_s=1 / 30, end_s=1 / 30, episodes=[0, 2])
    assert writing.check_equal(peer, recorded, tmp_path / "trimmed.npz") == 6
    saved = LeRobotDataset("interop/written", recorded).split([0.4, 0.6])[1].save(tmp_path / "part")
    assert writing.check_equal(peer, tmp_path / "part", tmp_path / "part.npz") == len(saved) == 3


def test_cameras_stored_in_another_way(recorded: Path, tmp_path: Path, peer: str) -> None:
    video = convert_image_to_video(recorded, tmp_path / "video").root
    assert writing.check_equal(peer, video, tmp_path / "video.npz") == 10
    reencode_videos(video, rgb_encoder=RGBEncoderConfig(vcodec="libsvtav1"))
    delete_episodes(video, [0])
    assert writing.check_equal(peer, video, tmp_path / "deleted.npz") == 5


@pytest.mark.parametrize("name", ["cr5_v21_5ep", "derived_from_v1_v21/aloha_sim_4ep"])
def test_converted_datasets(name: str, tmp_path: Path, peer: str) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    new = convert_dataset(DATA / name, tmp_path / "new").root
    assert writing.check_equal(peer, new, tmp_path / "part.npz", 1) > 0


def test_the_peer_edits_what_was_edited_here(recorded: Path, tmp_path: Path, peer: str) -> None:
    kept = delete_episodes(recorded, [1], tmp_path / "kept").root
    remove_feature(kept, ["cube", "matrix"])  # the peer's own deletion fails on any column of several dimensions
    script = (
        "import sys\n"
        "from lerobot.datasets.lerobot_dataset import LeRobotDataset\n"
        "from lerobot.datasets.dataset_tools import delete_episodes\n"
        "d = LeRobotDataset('interop/written', root=sys.argv[1])\n"
        "delete_episodes(d, [0], output_dir=sys.argv[2], repo_id='interop/theirs')\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hf")}
    command = [peer, "-c", script, str(kept), str(tmp_path / "theirs")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    again = delete_episodes(kept, [0], tmp_path / "ours").root
    theirs = writing.read_by_peer(peer, tmp_path / "theirs", tmp_path / "theirs.npz")
    ours = writing.read_by_peer(peer, again, tmp_path / "ours.npz")
    for key in ("__len__", "0|observation.state", "3|done", "3|note", "0|depth.tiff", "0|task"):
        np.testing.assert_array_equal(theirs[key], ours[key], err_msg=key)
