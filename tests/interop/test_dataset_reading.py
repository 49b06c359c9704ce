"""The same files read here and by huggingface/lerobot: every key of every frame is equal.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with it. Pictures are decoded by PyAV on both sides.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from lerobot.datasets.lerobot_dataset import LeRobotDataset

pytestmark = pytest.mark.peer

DATA = Path(__file__).parents[3] / "shared" / "data"

PEER_SCRIPT = """
import hashlib, json, sys, torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, indices, kwargs = json.loads(sys.argv[1])
dataset = LeRobotDataset("local/data", root=root, video_backend="pyav", **kwargs)
def digest(value):
    if not isinstance(value, torch.Tensor):
        return value
    data = value.contiguous().numpy()
    return [str(value.dtype), list(value.shape), hashlib.sha256(data.tobytes()).hexdigest()]
items = [{key: digest(value) for key, value in dataset[i].items()} for i in indices]
stats = {k: {n: torch.as_tensor(v).tolist() for n, v in s.items()} for k, s in (dataset.meta.stats or {}).items()}
print("RESULT" + json.dumps({"items": items, "length": len(dataset), "fps": dataset.fps, "stats": stats}))
"""


PEER_WRITER = """
import sys, numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
numbers = {"observation.state": ("float32", (3,)), "precise": ("float64", (2,)), "half": ("float16", (2,)),
    "small": ("uint8", (2,)), "int": ("int32", (1,)), "flag": ("bool", (1,)), "flags": ("bool", (2,)),
    "matrix": ("float64", (2, 3)), "integers": ("int64", (2, 2)), "cube": ("float32", (2, 1, 2))}
pictures = {"png": ("image", (24, 32, 3)), "cam": ("video", (64, 96, 3)), "wrist": ("video", (48, 64, 3)),
    "depth": ("video", (64, 96, 1)), "rawdepth": ("image", (24, 32, 1))}
names = ["height", "width", "channels"]
features = {key: {"dtype": dtype, "shape": shape, "names": None} for key, (dtype, shape) in numbers.items()}
features["note"] = {"dtype": "string", "shape": (1,), "names": None}
for key, (dtype, shape) in pictures.items():
    features[f"observation.images.{key}"] = {"dtype": dtype, "shape": shape, "names": names,
        "info": {"is_depth_map": shape[2] == 1}}
dataset = LeRobotDataset.create("local/data", 10, features, root=sys.argv[1], data_files_size_in_mb=1,
    video_files_size_in_mb=1)
rng = np.random.default_rng(0)
for episode in range(4):
    for k in range(3 + episode):
        frame = {key: (rng.normal(size=shape) * 9).astype(dtype) for key, (dtype, shape) in numbers.items()}
        for key, (_, shape) in pictures.items():
            picture = rng.integers(0, 12000 if shape[2] == 1 else 255, shape)
            frame[f"observation.images.{key}"] = picture.astype("uint16" if shape[2] == 1 else "uint8")
        dataset.add_frame({**frame, "note": f"note {k}", "task": f"task {(episode + k) % 3}"})
    dataset.save_episode()
dataset.finalize()
"""


@pytest.fixture(scope="module")
def recorded_by_peer(peer: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of feature: numbers of all types and shapes, texts, images, videos, depth of both kinds, 3 tasks."""
    folder = tmp_path_factory.mktemp("recorded")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(folder / "cache")}
    command = [peer, "-c", PEER_WRITER, str(folder / "data")]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    return folder / "data"


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"return_uint8": True, "episodes": [0, 2, 3]},
        {
            "delta_timestamps": {
                key: [-0.1, 0.0, 0.2]
                for key in ["observation.state", "small", "integers", "flags", "cube", "int"]
                + [f"observation.images.{camera}" for camera in ("png", "cam", "depth", "rawdepth")]
            }
        },
    ],
    ids=["plain", "subset", "windows"],
)
def test_every_kind_of_feature(recorded_by_peer: Path, peer: str, tmp_path: Path, kwargs: dict[str, Any]) -> None:
    ours = LeRobotDataset("local/data", root=recorded_by_peer, **kwargs)
    indices = list(range(len(ours)))
    theirs = ask_peer(peer, recorded_by_peer, indices, tmp_path, **kwargs)
    assert list(ours[0]) == list(theirs["items"][0])
    assert_same(ours, theirs, indices)


@pytest.fixture(scope="module")
def peer() -> str:
    interpreter = os.environ.get("LEROBOT_PEER_PYTHON")
    if not interpreter:
        pytest.skip("LEROBOT_PEER_PYTHON is not set")
    return interpreter


def real(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{DATA / name} is absent")
    return DATA / name


def ask_peer(peer: str, root: Path, indices: list[int], cache: Path, **kwargs: Any) -> dict[str, Any]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(cache)}
    environment.pop("PYTHONPATH", None)
    question = json.dumps([str(root), indices, kwargs])
    process = subprocess.run(
        [peer, "-c", PEER_SCRIPT, question], capture_output=True, text=True, env=environment, cwd=cache, check=False
    )
    answers = [line.removeprefix("RESULT") for line in process.stdout.splitlines() if line.startswith("RESULT")]
    assert answers, process.stderr[-3000:]
    return json.loads(answers[0])


def digest(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    data = value.contiguous().numpy()
    return [str(value.dtype), list(value.shape), hashlib.sha256(data.tobytes()).hexdigest()]


def assert_same(ours: LeRobotDataset, theirs: dict[str, Any], indices: list[int]) -> None:
    assert len(ours) == theirs["length"]
    assert ours.fps == theirs["fps"]
    for index, expected in zip(indices, theirs["items"], strict=True):
        found = {key: digest(value) for key, value in ours[index].items()}
        assert found.keys() == expected.keys()
        assert {key: found[key] for key in expected if found[key] != expected[key]} == {}, f"frame {index}"


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("rebot_b601_v30_1ep", 1),
        ("cr5_v30_5ep_official", 1),
        ("derived_from_v1_v30/pusht_1ep", 1),
        ("derived_from_v1_v30/xarm_lift_1ep", 1),
        ("derived_from_v1_v30/aloha_sim_4ep", 9),
    ],
)
def test_every_frame(peer: str, tmp_path: Path, name: str, step: int) -> None:
    root = real(name)
    ours = LeRobotDataset("local/data", root=root, return_uint8=True)
    indices = list(range(0, len(ours), step))
    assert_same(ours, ask_peer(peer, root, indices, tmp_path, return_uint8=True), indices)


@pytest.mark.parametrize("name", ["cr5_v30_5ep_official", "derived_from_v1_v30/aloha_sim_4ep"])
def test_windows_subsets_and_float_pictures(peer: str, tmp_path: Path, name: str) -> None:
    root = real(name)
    fps = json.loads((root / "meta/info.json").read_text())["fps"]
    kwargs = {
        "episodes": [3, 1],
        "delta_timestamps": {
            "observation.images.top": [-2 / fps, 0.0],
            "observation.state": [0.0],
            "action": [step / fps for step in (3, -1, 0, 0, 120, -120)],
        },
    }
    ours = LeRobotDataset("local/data", root=root, **kwargs)
    end = len(ours)
    boundary = int(ours.meta.episodes[1]["length"])
    indices = [0, 1, boundary - 1, boundary, boundary + 1, end // 2, end - 2, end - 1]
    assert_same(ours, ask_peer(peer, root, indices, tmp_path, **kwargs), indices)


def test_one_video_frame_window_loses_its_time_axis(peer: str, tmp_path: Path) -> None:
    root = real("derived_from_v1_v30/pusht_1ep")
    kwargs = {"delta_timestamps": {"observation.image": [-0.1], "observation.state": [-0.1]}}
    ours = LeRobotDataset("local/data", root=root, **kwargs)
    assert_same(ours, ask_peer(peer, root, [0, 7], tmp_path, **kwargs), [0, 7])


@pytest.mark.parametrize(
    ("legacy", "converted", "step"),
    [
        ("cr5_v21_5ep", "cr5_v30_5ep_official", 1),
        ("derived_from_v1_v21/pusht_1ep", "derived_from_v1_v30/pusht_1ep", 1),
        ("derived_from_v1_v21/xarm_lift_1ep", "derived_from_v1_v30/xarm_lift_1ep", 1),
        ("derived_from_v1_v21/aloha_sim_4ep", "derived_from_v1_v30/aloha_sim_4ep", 17),
    ],
)
def test_v21_in_place_equals_what_the_peer_reads_after_conversion(
    peer: str, tmp_path: Path, legacy: str, converted: str, step: int
) -> None:
    ours = LeRobotDataset("local/data", root=real(legacy), return_uint8=True)
    indices = list(range(0, len(ours), step))
    theirs = ask_peer(peer, real(converted), indices, tmp_path, return_uint8=True)
    assert_same(ours, theirs, indices)
    for key, stats in theirs["stats"].items():
        for name in ("min", "max", "mean", "std", "count"):
            expected = torch.tensor(stats[name], dtype=torch.float64)
            torch.testing.assert_close(torch.as_tensor(ours.meta.stats[key][name]).double(), expected)


def test_tabular_part_of_a_dataset_whose_video_is_absent(peer: str, tmp_path: Path) -> None:
    root = tmp_path / "pusht"
    shutil.copytree(real("pusht_v30_novideo"), root)
    info = json.loads((root / "meta/info.json").read_text())
    del info["features"]["observation.image"]
    (root / "meta/info.json").write_text(json.dumps(info))
    kwargs = {"delta_timestamps": {"action": [step / 10 for step in range(-1, 15)]}}
    ours = LeRobotDataset("local/data", root=root, **kwargs)
    indices = list(range(0, len(ours), 97))
    assert_same(ours, ask_peer(peer, root, indices, tmp_path, **kwargs), indices)
