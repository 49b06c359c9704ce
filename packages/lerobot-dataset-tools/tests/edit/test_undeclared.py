"""Columns and files of other tools: they stay through every edit, or the edit is refused."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.convert import convert_dataset
from lerobot.dataset_tools.edit.features import add_features, remove_feature
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.dataset_tools.verification import verify_dataset

NAME = "subtask_index"
MODALITY = '{"state": {"arm": {"start": 0, "end": 6}}}'


def annotate(root: Path, files: int | None = None) -> Path:
    """Add a column that holds 100 more than the frame's index, and a file beside the format's own."""
    for path in sorted(root.glob("data/*/*.parquet"))[:files]:
        table = pq.read_table(path)
        values = pa.array([index + 100 for index in table.column("index").to_pylist()], pa.int16())
        pq.write_table(table.append_column(NAME, values), path)
    (root / "meta/modality.json").write_text(MODALITY)
    return root


def subtasks(root: Path) -> list[int]:
    tables = [pq.read_table(path, columns=[NAME]) for path in sorted(root.glob("data/*/*.parquet"))]
    return pa.concat_tables(tables).column(NAME).to_pylist()


@pytest.fixture
def annotated(make_dataset, tmp_path) -> Path:
    """Three episodes of 3, 2 and 4 frames in two files."""
    return annotate(make_dataset(tmp_path / "set", [3, 2, 4], per_file=2))


def test_they_are_named(annotated):
    (finding,) = [f for f in verify_dataset(annotated) if f.check == "undeclared"]
    assert (finding.severity, finding.feature) == ("note", NAME)


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (lambda root, new: delete_episodes(root, [0], new), [103, 104, 105, 106, 107, 108]),
        (lambda root, new: delete_episodes(root, [1], new), [100, 101, 102, 105, 106, 107, 108]),
        (lambda root, new: remove_feature(root, ["action"], new), list(range(100, 109))),
        (lambda root, new: modify_tasks(root, new_root=new, new_task="other"), list(range(100, 109))),
        (lambda root, new: split(root, {"rest": [2]}, new), [105, 106, 107, 108]),
        (lambda root, new: merge([root, root], new), 2 * list(range(100, 109))),
    ],
    ids=["delete first", "delete middle", "remove feature", "tasks", "split", "merge"],
)
def test_they_stay_with_their_rows(annotated, tmp_path, edit, kept):
    result = edit(annotated, tmp_path / "new")
    root = result["rest"] if isinstance(result, dict) else result.root
    assert subtasks(root) == kept
    assert (root / "meta/modality.json").read_text() == MODALITY


def test_they_stay_in_place_and_with_a_new_column(annotated):
    delete_episodes(annotated, [2])
    add_features(annotated, {"score": ([[0.5]] * 5, {"dtype": "float32", "shape": (1,), "names": None})})
    assert subtasks(annotated) == [100, 101, 102, 103, 104]
    assert (annotated / "meta/modality.json").read_text() == MODALITY


def test_they_stay_when_an_old_version_is_converted(make_dataset, tmp_path):
    root = annotate(make_dataset(tmp_path / "old", [3, 2], version="v2.0"))
    result = convert_dataset(root, tmp_path / "new").root
    assert subtasks(result) == [100, 101, 102, 103, 104]
    assert (result / "meta/modality.json").exists()
    assert not (result / "meta/episodes.jsonl").exists()


def test_a_column_of_some_files_only_is_refused(make_dataset, tmp_path):
    root = annotate(make_dataset(tmp_path / "set", [3, 2, 4], per_file=2), files=1)
    with pytest.raises(DatasetError, match=f"has {NAME} and .* none"):
        delete_episodes(root, [0])
    assert not list(tmp_path.glob("set_*"))


def test_files_of_one_name_that_differ_are_said_to_be_left_out(annotated, make_dataset, tmp_path, caplog):
    other = annotate(make_dataset(tmp_path / "other", [3, 2, 4], per_file=2))
    (other / "meta/modality.json").write_text("{}")
    with caplog.at_level(logging.WARNING):
        result = merge([annotated, other], tmp_path / "both")
    assert (result.root / "meta/modality.json").read_text() == MODALITY
    assert "other/meta/modality.json is left out" in caplog.text
