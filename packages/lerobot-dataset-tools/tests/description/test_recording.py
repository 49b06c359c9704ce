"""What a dataset is told to be, against the library's own reading of it."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.description.recording import MOST_ROWS, Recording, rows_that_tell
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.writer.recorder import DatasetRecorder

DATA = Path(__file__).parents[4].parent / "shared/data"
CAMERA = "observation.images.cam"
REAL = ["cr5_v21_5ep", "cr5_v30_5ep_official", "derived_from_v1_v30/aloha_sim_4ep", "rebot_b601_v30_1ep"]


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_of_every_version(name):
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    recording, dataset = Recording(DATA / name), LeRobotDataset("a/b", DATA / name, video_backend="pyav")
    told = json.loads(json.dumps(recording.describe(), allow_nan=False))
    assert [each["frames"] for each in told["episodes"]] == dataset.meta.episodes["length"]
    assert [each["tasks"] for each in told["episodes"]] == dataset.meta.episodes["tasks"]
    assert told["total_frames"] == len(dataset) == sum(each["frames"] for each in told["episodes"])
    assert {key: tuple(each["shape"]) for key, each in told["features"].items()} == dataset.meta.shapes
    last = len(told["episodes"]) - 1
    numbers = json.loads(json.dumps(recording.episode(last), allow_nan=False))
    (start, *_), (stop, *_) = (bounds[last:] for bounds in dataset.episode_bounds)
    items = dataset.read_arrays([int(start), int(stop) - 1])
    for place, item in zip((0, -1), items, strict=True):
        assert numbers["time_s"][place] == float(item["timestamp"])
        for key, column in numbers["columns"].items():
            assert [series[place] for series in column["values"]] == np.ravel(item[key]).tolist()
    for key, video in numbers["videos"].items():
        assert video["images"] == numbers["frames"]
        assert (DATA / name / video["file"]).is_file()
        assert video["to_s"] - video["from_s"] == pytest.approx(numbers["frames"] / dataset.fps, abs=1e-6)
        table = dataset.reader.videos.table(key, last)
        assert table.time(dataset.reader.videos.span(key, last)[0]) == video["from_s"]


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_an_episode_of_every_layout(tmp_path, make_dataset, version):
    recording = Recording(make_dataset(tmp_path / "d", [5, 7, 4], video=True, version=version))
    numbers = recording.episode(1)
    assert numbers["columns"]["observation.state"] == {
        "names": ["a", "b"],
        "rows": None,
        "values": [list(range(5, 12)), [-value for value in range(5, 12)]],
    }
    assert np.allclose(numbers["time_s"], np.arange(7) / 10)
    part = recording.describe(first=1, count=1)
    assert (part["total_episodes"], part["episodes"]) == (3, recording.describe()["episodes"][1:2])
    assert set(recording.files()["files"]) == {
        file.relative_to(tmp_path / "d").as_posix() for file in (tmp_path / "d").rglob("*.mp4")
    }
    video = numbers["videos"][CAMERA]
    begin = 0.5 if version == "v3.0" else 0.0
    assert (video["from_s"], video["images"], video["codec"]) == (begin, 7, "h264")
    assert video["to_s"] == pytest.approx(begin + 0.7)


def test_where_images_of_an_episode_begin_is_taken_from_the_file(tmp_path, make_dataset):
    """The episodes table says 60 ms too early: the image that is shown there is still another episode's."""
    root = make_dataset(tmp_path / "d", [5, 7], video=True)
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[1][f"videos/{CAMERA}/from_timestamp"] = rows[0][f"videos/{CAMERA}/to_timestamp"] = 0.46
    pq.write_table(type(pq.read_table(path)).from_pylist(rows), path)
    recording = Recording(root)
    assert recording.describe()["episodes"][1]["videos"][CAMERA]["from_s"] == 0.46
    assert recording.episode(1)["videos"][CAMERA]["from_s"] == 0.5


def test_a_video_that_is_missing_is_said_and_the_numbers_are_there(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "d", [5, 7], video=True)
    (video,) = root.rglob("*.mp4")
    video.unlink()
    numbers = Recording(root).episode(0)
    assert "is missing" in numbers["videos"][CAMERA]["error"]
    assert len(numbers["columns"]["action"]["values"][0]) == 5


def test_outcomes_units_and_values_that_json_does_not_have(tmp_path):
    features = {
        "observation.state": {"dtype": "float32", "shape": (2,), "names": ["a.pos", "gripper.pos"]},
        "observation.map": {"dtype": "float32", "shape": (2, 2), "names": None},
        "observation.images.far": {
            "dtype": "image",
            "shape": (4, 6, 1),
            "names": ["height", "width", "channels"],
            "info": {"is_depth_map": True},
        },
        "outcome": {"dtype": "string", "shape": (1,), "names": None},
    }
    with DatasetRecorder.create(tmp_path / "d", 10, features) as recorder:
        for outcome in ("success", "failure"):
            for frame in range(3):
                values = {
                    "observation.state": np.array([frame, 7], np.float32),
                    "observation.map": np.zeros((2, 2), np.float32),
                    "observation.images.far": np.full((4, 6, 1), 500, np.uint16),
                    "outcome": outcome,
                }
                recorder.add_frame(values, "t")
            recorder.save_episode()
    for path in (tmp_path / "d/data").rglob("*.parquet"):  # which no recorder of ours lets in
        table = pq.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            row["observation.state"][0] = float("nan") if row["frame_index"] == 1 else row["observation.state"][0]
        pq.write_table(type(table).from_pylist(rows, table.schema), path)
    recording = Recording(tmp_path / "d")
    told, numbers = recording.describe(), recording.episode(1)
    assert [each["outcome"] for each in told["episodes"]] == ["success", "failure"]
    assert told["features"]["observation.images.far"]["unit"] == "mm"
    assert told["cameras"]["observation.images.far"]["stored"] == "image"
    assert numbers["columns"]["observation.state"]["values"] == [[0, None, 2], [7, 7, 7]]
    assert [axis["elements"] for axis in numbers["axes"]] == [[0], [1]]
    assert list(numbers["left_out"]) == ["observation.map"]


def test_long_episodes_keep_their_extremes():
    values = np.random.default_rng(0).normal(size=(30_000, 3))
    values[12_345, 1] = 99
    rows = rows_that_tell(values)
    assert len(rows) <= MOST_ROWS + 6
    assert {0, 12_345, 29_999} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()
    for element in range(3):
        assert values[rows, element].min() == values[:, element].min()
    assert rows_that_tell(values[:MOST_ROWS]) is None


def test_by_command(tmp_path, make_dataset, capsys):
    root = make_dataset(tmp_path / "d", [5, 7])
    run_command("describe-dataset", [f"--root={root}", "--episodes=[1]"])
    told = json.loads(capsys.readouterr().out)
    assert [each["index"] for each in told["episodes"]] == [0, 1]
    assert told["numbers"][0]["columns"]["action"]["values"] == [[5, 6, 7, 8, 9, 10, 11]]
    with pytest.raises(DatasetError, match="episode 2 does not exist"):
        run_command("describe-dataset", [f"--root={root}", "--episodes=[2]"])


def test_nothing_is_looked_for_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("lerobot.datasets.hub.pull.fetch_metadata", lambda *_, **__: pytest.fail("asked the Hub"))
    with pytest.raises(DatasetError, match="no dataset at"):
        run_command("describe-dataset", [f"--root={tmp_path}"])


def test_a_recording_without_episodes(tmp_path):
    features = {"action": {"dtype": "float32", "shape": (1,), "names": None}}
    DatasetRecorder.create(tmp_path / "d", 10, features).close()
    told = Recording(tmp_path / "d").describe()
    assert (told["episodes"], told["total_frames"], told["backup"]) == ([], 0, None)
