"""Recordings that go on from what older writers left, and recordings that end without being closed."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.writer.recorder import DatasetRecorder

UNCLOSED = """
import importlib.util, sys
from pathlib import Path
from lerobot.datasets.writer.recorder import DatasetRecorder
spec = importlib.util.spec_from_file_location("kit", sys.argv[2])
kit = importlib.util.module_from_spec(spec)
sys.modules["kit"] = kit
spec.loader.exec_module(kit)
recorder = DatasetRecorder.create(Path(sys.argv[1]), 30, kit.FEATURES)
kit.record(recorder, 0, 3)
kit.record(recorder, 1, 2)
recorder.add_frame(kit.frame(2, 0))
raise RuntimeError("nobody closes the recorder")
"""


def without_quantiles(root: Path) -> None:
    """The tables of a dataset as they were before the format had quantiles."""
    for path in (root / "meta/episodes").glob("*/*.parquet"):
        table = pq.read_table(path)
        old = [name for name in table.column_names if name.rpartition("/")[2][1:].isdigit()]
        assert len(old) % 5 == 0
        assert old
        pq.write_table(table.drop_columns(old), path)
    stats = json.loads((root / "meta/stats.json").read_text())
    for values in stats.values():
        for name in [name for name in values if name[1:].isdigit()]:
            del values[name]
    (root / "meta/stats.json").write_text(json.dumps(stats))


def test_a_dataset_from_before_quantiles_can_be_resumed_and_read(tmp_path, kit):
    """Files of the episodes table that differ in their columns make the whole dataset unreadable for others."""
    root = tmp_path / "set"
    with DatasetRecorder.create(root, 30, kit.FEATURES) as recorder:
        kit.record(recorder, 0, 3)
        kit.record(recorder, 1, 2)
    without_quantiles(root)
    recorder = DatasetRecorder.resume(root)
    kit.record(recorder, 2, 4)
    tables = [pq.read_schema(path) for path in sorted((root / "meta/episodes").glob("*/*.parquet"))]
    assert len(tables) == 2
    assert tables[0].names == tables[1].names
    kit.check_dataset(root, [0, 1, 2], [3, 2, 4])
    recorder.finalize()
    kit.check_dataset(root, [0, 1, 2], [3, 2, 4])
    assert LeRobotDatasetMetadata("a/b", root).stats["action"]["count"].tolist() == [9]


def test_an_error_that_nobody_catches_loses_nothing_saved(tmp_path, kit):
    root = tmp_path / "set"
    kit_file = str(Path(__file__).with_name("conftest.py"))
    command = [sys.executable, "-c", UNCLOSED, str(root), kit_file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("RuntimeError: nobody closes the recorder")
    kit.check_dataset(root, [0, 1], [3, 2])
