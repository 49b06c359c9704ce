"""Columns and cameras taken out and put in."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.features import add_features, remove_feature
from lerobot.dataset_tools.edit.selection import delete_episodes
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata

FRAMES = 21
CAMERA = "observation.images.left"


def columns(root):
    dataset = FrameDataset(LeRobotDatasetMetadata("a/b", root))
    return dataset.read_arrays(range(len(dataset)))


def inodes(root, pattern):
    return sorted(path.stat().st_ino for path in root.rglob(pattern))


def test_a_removed_camera_leaves_no_trace_and_costs_no_data(dataset, statistics_are_exact):
    data = inodes(dataset, "data/*/*.parquet")
    remove_feature(dataset, [CAMERA])
    assert inodes(dataset, "data/*/*.parquet") == data
    names = pq.read_schema(dataset / "meta/episodes/chunk-000/file-000.parquet").names
    assert not [name for name in names if CAMERA in name]
    assert CAMERA not in json.loads((dataset / "meta/stats.json").read_text())
    assert not (dataset / "videos" / CAMERA).exists()
    assert set(columns(dataset)[0]) >= {"observation.images.right", "action"}
    statistics_are_exact(dataset)


def test_without_cameras_there_is_no_video_path(dataset):
    remove_feature(dataset, [CAMERA, "observation.images.right"])
    assert json.loads((dataset / "meta/info.json").read_text())["video_path"] is None
    assert not (dataset / "videos").exists()


def test_a_removed_column(dataset, kit):
    videos = inodes(dataset, "*.mp4")
    remove_feature(dataset, ["action"])
    assert inodes(dataset, "*.mp4") == videos
    assert "action" not in pq.read_schema(dataset / "data/chunk-000/file-000.parquet").names
    assert [item["observation.state"].tolist() for item in columns(dataset)][3:5] == [[1, 0, 1000], [1, 1, 1001]]


def test_added_columns_and_their_statistics(dataset, statistics_are_exact):
    videos, rng = inodes(dataset, "*.mp4"), np.random.default_rng(0)
    matrix, words = rng.normal(size=(FRAMES, 2, 3)), [f"word {i}" for i in range(FRAMES)]
    reward = rng.normal(size=FRAMES) * 0.1 + 1000
    add_features(
        dataset,
        {
            "reward": (reward, {"dtype": "float64", "shape": (1,), "names": None}),
            "matrix": (matrix, {"dtype": "float32", "shape": (2, 3), "names": None}),
            "words": (words, {"dtype": "string", "shape": (1,), "names": None}),
            "done": (np.arange(FRAMES) % 2 == 0, {"dtype": "bool", "shape": (1,), "names": None}),
        },
    )
    assert inodes(dataset, "*.mp4") == videos
    items = columns(dataset)
    np.testing.assert_array_equal(np.stack([item["matrix"] for item in items]), matrix.astype(np.float32))
    assert [item["words"] for item in items] == words
    stats = LeRobotDatasetMetadata("a/b", dataset).stats
    np.testing.assert_allclose(stats["reward"]["std"], [reward.std()], rtol=1e-9)
    assert list(json.loads((dataset / "meta/info.json").read_text())["features"])[-5:][0] == "timestamp"
    delete_episodes(dataset, [1])
    assert [item["words"] for item in columns(dataset)] == words[:3] + words[7:]


@pytest.mark.parametrize(
    ("names", "what"), [(["nothing"], "no feature nothing"), (["index"], "no feature index"), ([], "no feature")]
)
def test_what_cannot_be_removed(dataset, names, what):
    with pytest.raises((FeatureMismatchError, DatasetError), match=what):
        remove_feature(dataset, names)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("key", "values", "dtype", "what"),
    [
        ("action", np.zeros(FRAMES), "float32", "already"),
        ("new", np.zeros(FRAMES - 1), "float32", r"values \(20,\)"),
        ("new", np.full(FRAMES, np.nan), "float32", "not finite in frame 0"),
        ("new", np.zeros(FRAMES), "int64", "float64 values"),
        ("new", np.zeros(FRAMES), "video", "camera|dtype"),
        ("ne/w", np.zeros(FRAMES), "float32", "ne/w"),
    ],
)
def test_what_cannot_be_added(dataset, key, values, dtype, what):
    with pytest.raises(FeatureMismatchError, match=what):
        add_features(dataset, {key: (values, {"dtype": dtype, "shape": (1,), "names": None})})
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]
