"""Recordings to edit, and everything a reader sees of them as one list of hashes."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 4, 1, 5, 2, 6]
NUMBERING = {"index", "episode_index", "task_index"}


@pytest.fixture(scope="session")
def recorded(kit, tmp_path_factory) -> Path:
    """Six episodes of LENGTHS, labelled 0 to 5, with two cameras; never to be changed."""
    root = tmp_path_factory.mktemp("recorded") / "set"
    with DatasetRecorder.create(root, 30, kit.FEATURES, robot_type="so101") as recorder:
        for label, length in enumerate(LENGTHS):
            kit.record(recorder, label, length)
    return root


@pytest.fixture
def dataset(recorded, tmp_path) -> Path:
    """A copy of `recorded` to be changed."""
    return Path(shutil.copytree(recorded, tmp_path / "set"))


def frame_hashes(root: Path) -> list[str]:
    """Per frame a hash of all that edits must keep: every value, decoded image and the task, without the numbers."""
    dataset = FrameDataset(LeRobotDatasetMetadata("a/b", root))
    hashes = []
    for item in dataset.read_arrays(range(len(dataset))):
        digest = hashlib.sha256()
        for key in sorted(item.keys() - NUMBERING):
            value = item[key]
            digest.update(key.encode() + (np.asarray(value).tobytes() if key != "task" else value.encode()))
        hashes.append(digest.hexdigest())
    return hashes


@pytest.fixture(scope="session")
def hashes():
    return frame_hashes


@pytest.fixture(scope="session")
def recorded_hashes(recorded) -> list[list[str]]:
    """The hashes of `recorded` by episode."""
    flat, stops = frame_hashes(recorded), np.cumsum(LENGTHS)
    return [flat[stop - length : stop] for length, stop in zip(LENGTHS, stops, strict=True)]


def check_statistics(root: Path) -> None:
    """Every numeric statistic, of the dataset and of each episode, against numpy on the values."""
    import pyarrow.parquet as pq

    meta = LeRobotDatasetMetadata("a/b", root)
    files = sorted((root / "data").glob("*/*.parquet"))
    rows = {key: [] for key in meta.features}
    for path in files:
        for key in rows:
            if meta.features[key]["dtype"] in ("float32", "float64", "int64", "bool"):
                rows[key] += pq.read_table(path, columns=[key]).column(key).to_pylist()
    table = [r for p in sorted((root / "meta/episodes").glob("*/*.parquet")) for r in pq.read_table(p).to_pylist()]
    for key, values in rows.items():
        if not values:
            continue
        array = np.array(values, np.float64).reshape(len(values), -1)
        parts = [(meta.stats[key], array)]
        for row in table:
            names = ("min", "max", "mean", "std", "count", "q50")
            own = {name: np.array(row[f"stats/{key}/{name}"]) for name in names}
            parts.append((own, array[row["dataset_from_index"] : row["dataset_to_index"]]))
        for stats, part in parts:
            assert stats["count"].tolist() == [len(part)], key
            for name in ("min", "max", "mean", "std"):
                np.testing.assert_allclose(stats[name], getattr(np, name)(part, axis=0), rtol=1e-9, atol=1e-9)
            # The format's quantile is the value below which the share lies: between the two that surround it.
            low, high = (np.quantile(part, 0.5, axis=0, method=m) for m in ("lower", "higher"))
            slack = np.ptp(part, axis=0) / 2500 + 1e-6
            assert (stats["q50"] >= low - slack).all()
            assert (stats["q50"] <= high + slack).all()


@pytest.fixture(scope="session")
def statistics_are_exact():
    return check_statistics
