"""What is in the files wins over what metadata says about them, as long as row k keeps its own image and value."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.datasets.checks.structure import check_structure
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.writer.recorder import DatasetRecorder

CAMERA = "observation.images.cam"
FPS = 10


def move_ends(root: Path, seconds: float) -> None:
    """Change every `to_timestamp` by the same time."""
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table, name = pq.read_table(path), f"videos/{CAMERA}/to_timestamp"
    ends = pa.array(np.array(table.column(name)) + seconds)
    pq.write_table(table.set_column(table.column_names.index(name), name, ends), path)


@pytest.mark.parametrize("per_file", [1, 2, 4])
@pytest.mark.parametrize("frames", [-1, 1, -3], ids=lambda frames: f"{frames:+d} frames")
def test_an_end_is_where_the_next_episode_begins(
    tmp_path: Path, make_dataset: Any, number_of: Any, per_file: int, frames: int
) -> None:
    """Writers differ: the last image's own time, the time after it, or what they computed wrongly."""
    root = make_dataset(tmp_path / "d", [5, 4, 6, 5], fps=FPS, per_file=per_file, video=True)
    move_ends(root, frames / FPS)
    items = LeRobotDataset("a/b", root).read_arrays(range(20))
    assert [number_of(item[CAMERA]) for item in items] == list(range(20))
    found = [(finding.severity, finding.check, finding.episode) for finding in check_structure(root)]
    # An end beyond that of the file is the file's.
    wrong = [episode for episode in range(4) if frames < 0 or (episode + 1) % per_file]
    assert found == [("warning", "to_timestamp", episode) for episode in wrong]


def test_images_of_an_episode_never_saved_are_not_taken_for_lost_ones(
    tmp_path: Path, make_dataset: Any, make_video: Any
) -> None:
    """The second episode lost an image; behind it stand images of a third one, which was cut off."""
    root = make_dataset(tmp_path / "d", [5, 5], fps=FPS, per_file=2, video=True)
    make_video(root / f"videos/{CAMERA}/chunk-000/file-000.mp4", [0, 1, 2, 3, 4, 5, 6, 7, 9, 100, 101, 102])
    move_ends(root, 0)
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table, name = pq.read_table(path), f"videos/{CAMERA}/to_timestamp"
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array([0.5, 0.9])), path)
    with pytest.raises(DatasetError, match="4 images of episode 1, which has 5 rows"):
        LeRobotDataset("a/b", root).read_arrays([9])


@pytest.mark.parametrize(("name", "dtype"), [("float", "float32"), ("double", "float64")])
def test_the_names_that_other_writers_have_for_a_dtype(tmp_path: Path, name: str, dtype: str) -> None:
    root = tmp_path / "d"
    features = {"next.reward": {"dtype": name, "shape": (1,), "names": None}}
    with DatasetRecorder.create(root, FPS, features) as recorder:
        for value in (0.5, 0.25):
            recorder.add_frame({"next.reward": np.array([value], dtype)}, "t")
        recorder.save_episode()
    info = json.loads((root / "meta/info.json").read_text())
    assert info["features"]["next.reward"]["dtype"] == dtype
    info["features"]["next.reward"]["dtype"] = name
    (root / "meta/info.json").write_text(json.dumps(info))
    items = LeRobotDataset("a/b", root).read_arrays(range(2))
    assert [float(item["next.reward"]) for item in items] == [0.5, 0.25]
    assert check_structure(root) == []
    with DatasetRecorder.resume(root, features=features) as recorder:
        recorder.add_frame({"next.reward": np.array([0.75], dtype)}, "t")
        recorder.save_episode()
    assert float(LeRobotDataset("a/b", root).read_arrays([2])[0]["next.reward"]) == 0.75


def test_another_unknown_dtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match="dtype 'real'"):
        DatasetRecorder.create(tmp_path / "d", FPS, {"x": {"dtype": "real", "shape": (1,), "names": None}})


def test_no_recording_goes_on_where_it_would_leave_a_column_empty(tmp_path: Path, make_dataset: Any) -> None:
    root = make_dataset(tmp_path / "d", [3])
    path = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("subtask_index", pa.array([1, 2, 3])), path)
    with pytest.raises(DatasetError, match=r"\(subtask_index\), and no recording fills them"):
        DatasetRecorder.resume(root)
