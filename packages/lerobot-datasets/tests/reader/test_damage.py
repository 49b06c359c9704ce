"""Every fault of a dataset's files is one clear error, and files beyond the commit point do no harm."""

import contextlib
import json
import resource
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset

CAMERA = "observation.images.cam"
DATA_FILE = "data/chunk-000/file-000.parquet"
VIDEO_FILE = f"videos/{CAMERA}/chunk-000/file-000.mp4"
EPISODES_FILE = "meta/episodes/chunk-000/file-000.parquet"


def edit_info(root: Path, **changes: Any) -> None:
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (info | changes).items() if value is not ...}))


def truncate(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def replace_bytes(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def read_all(root: Path) -> None:
    dataset = LeRobotDataset("a/b", root)
    dataset.read_arrays(range(len(dataset)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: shutil.rmtree(root), "does not exist"),
        (lambda root: (root / "meta/info.json").unlink(), "meta/info.json is missing"),
        (lambda root: truncate(root / "meta/info.json"), "info.json cannot be read"),
        (lambda root: edit_info(root, codebase_version="v4.0"), "format v4.0, newer"),
        (lambda root: edit_info(root, codebase_version="v1.6"), "format v1.6"),
        (lambda root: edit_info(root, codebase_version="latest"), "codebase_version is 'latest'"),
        (lambda root: edit_info(root, codebase_version=...), "no codebase_version"),
        (lambda root: edit_info(root, fps=0), "fps"),
        (lambda root: edit_info(root, features={}), "features lack timestamp"),
        (lambda root: edit_info(root, data_path="../{chunk_index}.parquet"), "leaves the dataset folder"),
        (lambda root: edit_info(root, data_path="data/{episode}.parquet"), "unknown field episode"),
        (lambda root: edit_info(root, total_episodes=5), "has 3 episodes, info.json promises 5"),
        (lambda root: (root / "meta/tasks.parquet").unlink(), "tasks.parquet is missing"),
        (lambda root: truncate(root / "meta/tasks.parquet"), "tasks.parquet cannot be read"),
        (lambda root: truncate(root / EPISODES_FILE), "file-000.parquet cannot be read"),
        (lambda root: truncate(root / DATA_FILE), "data/chunk-000/file-000.parquet cannot be read"),
        (lambda root: (root / DATA_FILE).unlink(), "file-000.parquet is missing, with the rows of 9 frames"),
        (lambda root: replace_bytes(root / DATA_FILE, b"action", b"\xff\xfetion"), "file-000.parquet cannot be read"),
        (
            lambda root: replace_bytes(root / EPISODES_FILE, b"length", b"\xff\xfength"),
            "file-000.parquet cannot be read",
        ),
        (lambda root: replace_bytes(root / VIDEO_FILE, b"avc1\0", b"zzzz\0"), "images of an unknown codec"),
        (lambda root: truncate(root / VIDEO_FILE), "file-000.mp4 cannot be read as a video"),
        (lambda root: (root / VIDEO_FILE).unlink(), "file-000.mp4 is missing"),
    ],
)
def test_damage_is_named(tmp_path: Path, make_dataset: Any, damage: Any, message: str) -> None:
    root = make_dataset(tmp_path / "d", [4, 5, 3], video=True)
    read_all(root)
    damage(root)
    with pytest.raises(DatasetError) as caught:
        read_all(root)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_the_title_of_a_video_may_be_in_any_encoding(tmp_path: Path, make_dataset: Any) -> None:
    root = make_dataset(tmp_path / "d", [4], video=True)
    replace_bytes(root / VIDEO_FILE, b"Lavf", b"\xff\xfevf")
    read_all(root)


def test_rows_of_a_failed_episode_that_stayed_in_the_data_are_refused(tmp_path: Path, make_dataset: Any) -> None:
    """The peer leaves rows of an episode whose video failed; every later row would be another frame's."""
    root = make_dataset(tmp_path / "d", [4, 5])
    table = pq.read_table(root / DATA_FILE)
    pq.write_table(pa.concat_tables([table.slice(0, 4), table.slice(0, 4), table.slice(4)]), root / DATA_FILE)
    with pytest.raises(DatasetError, match="row 4 is of episode 0"):
        read_all(root)


def test_what_a_killed_recording_left_behind_is_ignored(tmp_path: Path, make_dataset: Any) -> None:
    root = make_dataset(tmp_path / "d", [4, 5, 3], per_file=1, video=True)
    expected = LeRobotDataset("a/b", root).read_arrays(range(9))
    edit_info(root, total_episodes=2, total_frames=9)
    (root / "meta/episodes/chunk-000/file-001.parquet").write_bytes(b"PAR1 cut off")
    (root / "data/chunk-000/file-002.parquet").write_bytes(b"PAR1 cut off")
    (root / "data/chunk-000/file-003.parquet").write_bytes(b"")
    dataset = LeRobotDataset("a/b", root)
    assert (len(dataset), dataset.meta.total_episodes) == (9, 2)
    for item, other in zip(dataset.read_arrays(range(9)), expected, strict=True):
        assert all(np.array_equal(item[key], other[key]) for key in other)


def test_a_missing_column_and_a_wrong_shape_are_named(tmp_path: Path, make_dataset: Any) -> None:
    root = make_dataset(tmp_path / "d", [4])
    table = pq.read_table(root / DATA_FILE)
    pq.write_table(table.drop_columns("action"), root / DATA_FILE)
    with pytest.raises(DatasetError, match="lacks the columns action"):
        read_all(root)
    ragged = pa.array([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0], [7.0, 8.0]], pa.list_(pa.float32()))
    pq.write_table(table.set_column(0, "observation.state", ragged), root / DATA_FILE)
    with pytest.raises(DatasetError, match=r"column observation.state has rows of another shape"):
        read_all(root)


def numbers(items: Iterable[Any]) -> list[list[float]]:
    return [[item[key].item() for key in ("index", "episode_index", "frame_index", "action")] for item in items]


def stream(root: Path) -> Iterator[Any]:
    return iter(StreamingLeRobotDataset("a/b", root, shuffle=False))


@pytest.mark.parametrize("version", ["v3.0", "v2.1"])
@pytest.mark.parametrize("absent", [["index"], ["frame_index"], ["episode_index"], ["episode_index", "frame_index"]])
def test_numbers_that_follow_from_the_lengths_are_derived(
    tmp_path: Path, make_dataset: Any, version: str, absent: list[str]
) -> None:
    root = make_dataset(tmp_path / "d", [4, 2, 3], version=version)
    expected, streamed = numbers(LeRobotDataset("a/b", root)), numbers(stream(root))
    for path in root.glob("data/*/*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(absent), path)
    assert numbers(LeRobotDataset("a/b", root)) == expected
    assert numbers(stream(root)) == streamed == expected
    table = LeRobotDataset("a/b", root).hf_dataset.with_format(None)
    assert table["index"] == list(range(9))
    assert table["frame_index"] == [0, 1, 2, 3, 0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.take([1, 0, 2, 3, 4, 5]).drop_columns("index"), "frame_index of row 0 is 1\n  expected: 0 by"),
        (lambda t: t.take([0, 1, 3, 2, 4, 5]).drop_columns("frame_index"), "index of row 2 is 3\n  expected: 2 by"),
        (lambda t: t.take([4, 5, 0, 1, 2, 3]).drop_columns("index"), "of row 0 is 1"),
        (lambda t: t.drop_columns(["index", "frame_index"]), "nothing in it tells the place of each row"),
        (lambda t: t.drop_columns(["index", "episode_index"]), "nothing in it tells the place of each row"),
        (lambda t: t.drop_columns(["index", "episode_index", "frame_index"]), "nothing in it tells the place"),
        (lambda t: t.drop_columns(["index", "task_index"]), "lacks the columns task_index that info.json declares"),
    ],
)
def test_numbers_are_not_guessed_where_rows_may_stand_in_another_order(
    tmp_path: Path, make_dataset: Any, change: Any, message: str
) -> None:
    root = make_dataset(tmp_path / "d", [4, 2])
    pq.write_table(change(pq.read_table(root / DATA_FILE)), root / DATA_FILE)
    with pytest.raises(DatasetError, match=message):
        read_all(root)
    with pytest.raises(DatasetError, match=message):
        numbers(stream(root))


def test_ten_thousand_files_need_few_descriptors(tmp_path: Path, make_dataset: Any) -> None:
    """Reading every file of a dataset opens none for longer than the read, so the count of files does not matter."""
    root = make_dataset(tmp_path / "d", [2] * 300, per_file=1)
    dataset = LeRobotDataset("a/b", root)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + 12, hard))
    try:
        assert [int(item["index"]) for item in dataset.read_arrays(range(599, -1, -1))] == list(range(599, -1, -1))
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_damage_never_looks_like_a_bug(tmp_path: Path, make_dataset: Any) -> None:
    """Cutting any file anywhere gives an error of ours or a dataset that reads."""
    whole = make_dataset(tmp_path / "whole", [4, 5], video=True)
    files = [path.relative_to(whole) for path in whole.rglob("*") if path.is_file()]
    for number, (file, share) in enumerate((file, share) for file in files for share in (0, 0.1, 0.6, 0.99)):
        root = tmp_path / str(number)
        shutil.copytree(whole, root)
        truncate(root / file, share)
        with contextlib.suppress(LeRobotError):
            read_all(root)
