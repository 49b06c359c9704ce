"""Images in rows, texts, annotations, depth and numbers of every type."""

import gc
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.depth import convert_image, depth_table
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.storage.numbers import column_to_numpy

DATA_FILE = "data/chunk-000/file-000.parquet"
ROWS = 5


def open_files() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


def encoded(image: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def rich(tmp_path: Path, make_dataset: Any) -> tuple[Path, dict[str, Any]]:
    """A dataset with one column of every kind, and what was put into it."""
    root = make_dataset(tmp_path / "d", [ROWS])
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        "colour": rng.integers(0, 255, (ROWS, 8, 6, 3), dtype=np.uint8),
        "file": rng.integers(0, 255, (ROWS, 8, 6, 3), dtype=np.uint8),
        "distance": rng.integers(0, 9000, (ROWS, 8, 6), dtype=np.uint16),
        "note": [f"note {k}" for k in range(ROWS)],
        "language_events": [[{"role": "user", "content": f"do {k}"}] * (k % 2) for k in range(ROWS)],
        "matrix": rng.normal(size=(ROWS, 2, 3)),
        "flags": rng.integers(0, 2, (ROWS, 2)).astype(bool),
        "bytes": rng.integers(0, 255, (ROWS, 2), dtype=np.uint8),
        "half": rng.normal(size=(ROWS, 2)).astype(np.float16),
    }
    for k in range(ROWS):
        (root / f"images/file/{k}.png").parent.mkdir(parents=True, exist_ok=True)
        (root / f"images/file/{k}.png").write_bytes(encoded(values["file"][k], "PNG"))
    columns = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}
    columns["colour"] = [{"bytes": encoded(image, "PNG"), "path": "x.png"} for image in values["colour"]]
    columns["file"] = [{"bytes": None, "path": f"images/file/{k}.png"} for k in range(ROWS)]
    columns["distance"] = [{"bytes": encoded(image, "TIFF"), "path": "x.tiff"} for image in values["distance"]]
    table = pq.read_table(root / DATA_FILE)
    for key, column in columns.items():
        table = table.append_column(key, pa.array(column))
    pq.write_table(table, root / DATA_FILE)
    info = json.loads((root / "meta/info.json").read_text())
    for key, dtype, shape in [
        *[("colour", "image", [8, 6, 3]), ("file", "image", [8, 6, 3]), ("distance", "image", [8, 6, 1])],
        *[("note", "string", [1]), ("language_events", "language", [1]), ("matrix", "float64", [2, 3])],
        *[("flags", "bool", [2]), ("bytes", "uint8", [2]), ("half", "float16", [2])],
    ]:
        info["features"][key] = {"dtype": dtype, "shape": shape, "names": None}
    info["features"]["distance"]["info"] = {"is_depth_map": True, "depth_unit": "mm"}
    (root / "meta/info.json").write_text(json.dumps(info))
    return root, values


def test_every_kind_is_what_was_stored(rich: tuple[Path, dict[str, Any]]) -> None:
    root, values = rich
    dataset = LeRobotDataset("a/b", root)
    for k, item in enumerate(dataset):
        for key in ("colour", "file"):
            assert torch.equal(item[key], torch.from_numpy(values[key][k]).permute(2, 0, 1) / 255)
        assert torch.equal(item["distance"], torch.from_numpy(values["distance"][k].astype("f4"))[None])
        assert (item["note"], item["language_events"]) == (values["note"][k], values["language_events"][k])
        for key, dtype in {
            "matrix": torch.float32,
            "half": torch.float32,
            "bytes": torch.int64,
            "flags": torch.bool,
        }.items():
            assert torch.equal(item[key], torch.from_numpy(values[key][k]).to(dtype))
    assert LeRobotDataset("a/b", root, return_uint8=True)[0]["colour"].dtype == torch.float32
    metres = LeRobotDataset("a/b", root, depth_output_unit="m")[1]["distance"]
    assert torch.equal(metres, torch.from_numpy(values["distance"][1].astype("f4"))[None] / 1000)
    row = dataset.hf_dataset[2]
    assert all(torch.equal(row[key], dataset[2][key]) for key in ("colour", "file"))
    assert (row["note"], "language_events" in row) == ("note 2", False)


def test_windows_of_images_keep_their_time_axis_and_depth_is_not_transformed(
    rich: tuple[Path, dict[str, Any]],
) -> None:
    root, values = rich
    deltas = {"colour": [-0.1], "distance": [0.0, 0.1], "note": [-0.1, 0.0], "flags": [0.1]}
    item = LeRobotDataset("a/b", root, delta_timestamps=deltas, image_transforms=lambda image: image * 0)[1]
    assert item["colour"].shape == (1, 3, 8, 6)
    assert not item["colour"].any()
    assert torch.equal(item["distance"][1, 0], torch.from_numpy(values["distance"][2].astype("f4")))
    assert item["note"] == ["note 0", "note 1"]
    assert item["flags"].tolist() == [values["flags"][2].tolist()]


def test_a_damaged_image_is_named(rich: tuple[Path, dict[str, Any]]) -> None:
    root, _ = rich
    (root / "images/file/3.png").write_bytes(b"\x89PNG\r\n cut")
    with pytest.raises(DatasetError, match="file of frame 3: the image cannot be decoded"):
        LeRobotDataset("a/b", root).read_arrays([2, 3])
    (root / "images/file/3.png").unlink()
    with pytest.raises(DatasetError, match="file of frame 3"):
        LeRobotDataset("a/b", root).read_arrays([3])


def test_laid_out_rows_go_away_with_the_dataset(
    rich: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = rich
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dataset = LeRobotDataset("a/b", root)
    before = open_files()
    dataset.read_arrays([0])
    assert len(list(tmp_path.glob("lerobot-rows-*/*.arrow"))) == 1
    assert len(open_files() - before) <= 1
    del dataset
    gc.collect()
    assert not list(tmp_path.glob("lerobot-rows-*"))


def test_depth_codes_are_the_sheets() -> None:
    """Goldens of the fact sheet, section A.9."""
    codes = [0, 0, 77, 397, 755, 2689, 4095, 4095]
    assert depth_table(None, "mm")[codes].tolist() == [10, 10, 100, 500, 1000, 5001, 10000, 10000]
    metres = depth_table({"video.use_log": False, "video.depth_min": None}, "m")
    np.testing.assert_allclose(metres[[0, 4095]], [0.01, 10.0], rtol=1e-6)
    np.testing.assert_allclose(np.diff(metres), 9.99 / 4095, rtol=1e-2)
    with pytest.raises(DatasetError, match="no inverse"):
        depth_table({"video.depth_min": -4.0}, "mm")


def test_depth_of_an_unknown_unit_is_left_alone() -> None:
    image = np.array([[1500]], np.uint16)
    assert convert_image(image, {"info": {}}, "m").tolist() == [[1500]]
    assert convert_image(image, {"info": {"depth_unit": "mm"}}, "m").tolist() == [[1.5]]
    assert convert_image(np.array([[1.5]]), {"info": {"depth_unit": "m"}}, "mm").tolist() == [[1500]]


def test_columns_in_every_nesting() -> None:
    expected = np.arange(12.0).reshape(2, 2, 3)
    nested = pa.chunked_array([pa.array(expected.tolist())])
    np.testing.assert_array_equal(column_to_numpy(nested, (2, 3), "x"), expected)
    fixed = pa.chunked_array([pa.array(expected[0].tolist(), pa.list_(pa.float64(), 3))])
    np.testing.assert_array_equal(column_to_numpy(fixed.slice(1, 1), (3,), "x"), expected[0, 1:])
    ones = pa.chunked_array([pa.array([[1.0], [2.0]])])
    np.testing.assert_array_equal(column_to_numpy(ones, (), "x"), [1.0, 2.0])
    with pytest.raises(DatasetError, match="x lacks 1 values"):
        column_to_numpy(pa.chunked_array([pa.array([1, None])]), (), "x")
    with pytest.raises(DatasetError, match="x has rows of another shape"):
        column_to_numpy(nested, (3, 2), "x")
