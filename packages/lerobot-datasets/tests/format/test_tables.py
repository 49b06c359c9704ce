"""Task table, statistics files and jsonl, in the forms that real writers left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.episodes import load_episodes
from lerobot.datasets.format.features import default_features
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.jsonl import read_jsonl
from lerobot.datasets.format.stats_json import (
    flatten_stats,
    load_stats,
    stats_from_json,
    stats_to_json,
    unflatten_stats,
)
from lerobot.datasets.format.tasks import Tasks, load_tasks

INFO = Info(fps=10, features=default_features(), total_episodes=1)


def test_new_tasks_are_numbered_in_order_of_appearance() -> None:
    """The peer numbers them in hash order, differently in every run."""
    tasks = Tasks()
    assert [tasks.add(name) for name in ["b", "a", "c", "a"]] == [0, 1, 2, 1]
    assert tasks.names == ["b", "a", "c"]
    assert (tasks.index("c"), tasks.index("d"), tasks.name(1)) == (2, None, "a")
    with pytest.raises(DatasetError, match="task_index 3"):
        tasks.name(3)


def test_the_table_is_what_pandas_readers_expect(tmp_path: Path) -> None:
    """Section A.5 of the fact sheet: the text is the index, named `task`."""
    (tmp_path / "meta").mkdir()
    pq.write_table(Tasks(["fold", "unfold ☃"]).to_arrow(), tmp_path / "meta/tasks.parquet")
    table = pq.read_table(tmp_path / "meta/tasks.parquet")
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    assert load_tasks(tmp_path, INFO).names == ["fold", "unfold ☃"]
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(tmp_path / "meta/tasks.parquet")
    assert (frame.index.name, list(frame.columns), frame.iloc[1].name) == ("task", ["task_index"], "unfold ☃")


def test_an_unnamed_index_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    pq.write_table(pa.table({"task_index": [0], "__index_level_0__": ["fold"]}), tmp_path / "meta/tasks.parquet")
    assert load_tasks(tmp_path, INFO).names == ["fold"]
    pq.write_table(pa.table({"task_index": [0]}), tmp_path / "meta/tasks.parquet")
    with pytest.raises(DatasetError, match="has columns"):
        load_tasks(tmp_path, INFO)


def test_json_lines_split_at_newlines_only(tmp_path: Path) -> None:
    """A text may hold the line separator of Unicode, which JSON need not escape."""
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"task": "one\u2028two"}\n\n{"task": "three"}\n', encoding="utf-8")
    assert [row["task"] for row in read_jsonl(path)] == ["one\u2028two", "three"]
    path.write_text('{"task": "one"}\n{"task": ')
    with pytest.raises(DatasetError, match=r"tasks\.jsonl:2"):
        list(read_jsonl(path))


def test_booleans_of_v21_are_numbers() -> None:
    stats = stats_from_json({"done": {"min": [False], "max": [True], "mean": 0.2, "count": [5]}}, "stats.json")
    assert [stats["done"][key].tolist() for key in ("min", "max", "mean", "count")] == [[0.0], [1.0], [0.2], [5]]
    assert stats["done"]["count"].dtype == np.int64


@given(st.dictionaries(st.sampled_from(["min", "q01", "count"]), st.lists(st.integers(-9, 9), min_size=1), min_size=1))
def test_statistics_survive_a_file_and_a_row(values: dict[str, list[int]]) -> None:
    stats = stats_from_json({"observation.images.cam": values}, "stats.json")
    for again in (
        stats_from_json(json.loads(json.dumps(stats_to_json(stats))), "stats.json"),
        unflatten_stats({**flatten_stats(stats), "length": 3, "stats/other/min": None}, "row"),
    ):
        assert again.keys() == stats.keys()
        for key, value in stats["observation.images.cam"].items():
            np.testing.assert_array_equal(again["observation.images.cam"][key], value)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"action": 3}', '{"action": {"mean": ["a"]}}', '{"action": {"mean": [[1], 2]}}']
)
def test_damaged_statistics_are_refused(tmp_path: Path, text: str) -> None:
    assert load_stats(tmp_path) is None
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/stats.json").write_text(text)
    with pytest.raises(DatasetError, match=r"stats\.json"):
        load_stats(tmp_path)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "episode_index": 0,
        "tasks": ["fold"],
        "length": 3,
        "data/chunk_index": 0,
        "data/file_index": 0,
        "dataset_from_index": 0,
        "dataset_to_index": 3,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"episode_index": 1}, "row 0 is episode 1"),
        ({"length": 4}, "length 4 and rows 0 to 3"),
        ({"dataset_from_index": 1, "dataset_to_index": 4}, "rows 1 to 4"),
        ({"length": 0, "dataset_to_index": 0}, "length 0"),
    ],
)
def test_episodes_that_contradict_themselves_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = tmp_path / "meta/episodes/chunk-000"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row()]), folder / "file-000.parquet")
    assert load_episodes(tmp_path, INFO)[0]["tasks"] == ["fold"]
    pq.write_table(pa.Table.from_pylist([row(**changes)]), folder / "file-000.parquet")
    with pytest.raises(DatasetError, match=message):
        load_episodes(tmp_path, INFO)


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_byte_order_mark_is_no_part_of_the_metadata(
    make_dataset: Callable[..., Path], tmp_path: Path, version: str
) -> None:
    root = make_dataset(tmp_path / "set", [3, 4], version=version)
    expected = LeRobotDatasetMetadata("me/set", root)
    marked = [path for path in root.glob("meta/*") if path.suffix in {".json", ".jsonl"}]
    for path in marked:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    found = LeRobotDatasetMetadata("me/set", root)
    assert root / "meta/info.json" in marked
    assert found.info.to_json() == expected.info.to_json()
    assert list(found.tasks) == list(expected.tasks)
    assert found.episodes.column("length").tolist() == [3, 4]
