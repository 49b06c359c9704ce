"""Datasets recorded here, read by huggingface/lerobot: while recording, after a kill, when finalized, when resumed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer import commit
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

pytestmark = pytest.mark.peer

DEPTH = {"is_depth_map": True}
FEATURES: dict[str, Any] = {
    "observation.state": {"dtype": "float32", "shape": (3,), "names": ["a", "b", "c"]},
    "action": {"dtype": "float32", "shape": (2,), "names": None},
    "matrix": {"dtype": "float64", "shape": (2, 3), "names": None},
    "cube": {"dtype": "int64", "shape": (2, 2, 2), "names": None},
    "reward": {"dtype": "float32", "shape": (1,), "names": None},
    "done": {"dtype": "bool", "shape": (1,), "names": None},
    "note": {"dtype": "string", "shape": (1,), "names": None},
    "observation.images.video": {"dtype": "video", "shape": (48, 64, 3), "names": ["height", "width", "channels"]},
    "observation.images.png": {"dtype": "image", "shape": (32, 40, 3), "names": ["height", "width", "channels"]},
    "depth.video": {"dtype": "video", "shape": (48, 64, 1), "names": ["height", "width", "channels"], "info": DEPTH},
    "depth.tiff": {"dtype": "image", "shape": (32, 40, 1), "names": ["height", "width", "channels"], "info": DEPTH},
}
LENGTHS = [5, 1, 4]


def frame(episode: int, number: int) -> dict[str, Any]:
    rng = np.random.default_rng([episode, number])
    ramp = np.linspace(0, 255, 48 * 64, dtype=np.uint8).reshape(48, 64, 1)
    return {
        "observation.state": rng.normal(size=3).astype(np.float32),
        "action": rng.normal(size=2).astype(np.float32),
        "matrix": rng.normal(size=(2, 3)),
        "cube": rng.integers(0, 99, (2, 2, 2)),
        "reward": float(number),
        "done": number == 3,
        "note": f"note {number}",
        "observation.images.video": np.roll(ramp, 7 * number, axis=1).repeat(3, axis=2),
        "observation.images.png": rng.integers(0, 256, (32, 40, 3), np.uint8),
        "depth.video": rng.integers(300, 3000, (48, 64, 1), np.uint16),
        "depth.tiff": rng.integers(300, 3000, (32, 40, 1), np.uint16),
        "task": f"task {number % 2}",
    }


def record(recorder: DatasetRecorder, first: int = 0) -> None:
    for episode, length in enumerate(LENGTHS, first):
        for number in range(length):
            recorder.add_frame(frame(episode, number))
        recorder.save_episode()


@pytest.fixture(scope="session")
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    return python


def read_by_peer(peer: str, root: Path, out: Path, *episodes: int) -> dict[str, np.ndarray]:
    script = Path(__file__).with_name("peer_dump_dataset.py")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(out.parent / "hf")}
    command = [peer, str(script), str(root), str(out), *map(str, episodes)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(out) as arrays:
        return dict(arrays)


def check_equal(peer: str, root: Path, out: Path, *episodes: int) -> int:
    """Every key of every frame and every statistic; the number of frames."""
    theirs = read_by_peer(peer, root, out, *episodes)
    ours = LeRobotDataset("interop/written", root=root, episodes=list(episodes) or None)
    assert theirs["__len__"].tolist() == [len(ours), ours.num_episodes]
    for i in range(len(ours)):
        item = ours[i]
        assert {key.split("|")[1] for key in theirs if key.startswith(f"{i}|")} == set(item)
        for key, value in item.items():
            expected = theirs[f"{i}|{key}"]
            if isinstance(value, str):
                assert value == str(expected)
                continue
            found = value.numpy()
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape), key
            np.testing.assert_array_equal(found, expected, err_msg=f"{i} {key}")
    for key, stats in ours.meta.stats.items():
        for name, value in stats.items():
            np.testing.assert_array_equal(theirs[f"stats|{key}|{name}"], value, err_msg=f"{key} {name}")
    return len(ours)


def test_while_recording_when_finalized_and_when_resumed(tmp_path: Path, peer: str) -> None:
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, FEATURES, robot_type="so101")
    record(recorder)
    recorder.add_frame(frame(9, 0))
    assert check_equal(peer, root, tmp_path / "recording.npz") == 10
    recorder.finalize()
    assert check_equal(peer, root, tmp_path / "finalized.npz") == 10
    with DatasetRecorder.resume(root, features=FEATURES) as again:
        record(again, 3)
        assert check_equal(peer, root, tmp_path / "resumed.npz") == 20
    assert check_equal(peer, root, tmp_path / "subset.npz", 1, 5) == 5


@pytest.mark.parametrize("fps", [29.97, 12.5, 50])
def test_odd_rates_and_the_format_s_default_codec(tmp_path: Path, peer: str, fps: float) -> None:
    options = WritingOptions(rgb_encoder=RGBEncoderConfig(vcodec="libsvtav1"))
    with DatasetRecorder.create(tmp_path / "set", fps, FEATURES, options=options) as recorder:
        record(recorder)
    assert check_equal(peer, tmp_path / "set", tmp_path / "out.npz") == 10


def test_after_a_kill_between_any_two_files_of_a_commit(
    tmp_path: Path, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder as it stands before each file of the third episode is published."""
    root, left = tmp_path / "set", []
    recorder = DatasetRecorder.create(root, 30, FEATURES)
    for episode, length in enumerate(LENGTHS[:2]):
        for number in range(length):
            recorder.add_frame(frame(episode, number))
        recorder.save_episode()
    for number in range(LENGTHS[2]):
        recorder.add_frame(frame(2, number))
    publish = commit.publish

    def snapshot_and_publish(source: Path, target: Path) -> None:
        left.append(shutil.copytree(root, tmp_path / f"left{len(left)}"))
        publish(source, target)

    monkeypatch.setattr(commit, "publish", snapshot_and_publish)
    replace_text = commit.replace_text

    def snapshot_and_replace(path: Path, text: str) -> None:
        left.append(shutil.copytree(root, tmp_path / f"left{len(left)}"))
        replace_text(path, text)

    monkeypatch.setattr(commit, "replace_text", snapshot_and_replace)
    recorder.save_episode()
    recorder.close()
    assert len(left) == 6
    for number, folder in enumerate(left):
        theirs = read_by_peer(peer, folder, tmp_path / f"{number}.npz")
        assert theirs["__len__"].tolist() == [6, 2]
        np.testing.assert_array_equal(theirs["5|matrix"], np.float32(frame(1, 0)["matrix"]))


def test_the_peer_continues_what_was_recorded_here(tmp_path: Path, peer: str) -> None:
    root = tmp_path / "set"
    features = {key: FEATURES[key] for key in ("observation.state", "matrix", "observation.images.video")}
    with DatasetRecorder.create(root, 30, features) as recorder:
        for number in range(4):
            recorder.add_frame({key: frame(0, number)[key] for key in (*features, "task")})
        recorder.save_episode()
    script = (
        "import sys, numpy as np\n"
        "from lerobot.datasets.lerobot_dataset import LeRobotDataset\n"
        "d = LeRobotDataset.resume('interop/written', root=sys.argv[1])\n"
        "for k in range(3):\n"
        "    d.add_frame({'observation.state': np.full(3, k, np.float32), 'matrix': np.full((2, 3), float(k)),\n"
        "        'observation.images.video': np.zeros((48, 64, 3), np.uint8), 'task': 'theirs'})\n"
        "d.save_episode(); d.finalize()\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run([peer, "-c", script, str(root)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert check_equal(peer, root, tmp_path / "theirs.npz") == 7
    with DatasetRecorder.resume(root) as recorder:
        recorder.add_frame({key: frame(7, 0)[key] for key in (*features, "task")})
        recorder.save_episode()
    assert check_equal(peer, root, tmp_path / "ours.npz") == 8
