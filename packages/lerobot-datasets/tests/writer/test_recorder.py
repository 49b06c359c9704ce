"""What a caller sees of a recording: what is taken, what is refused, what is on the disk."""

import io
import json
import logging
import subprocess
import sys
import threading

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.format.extra_columns import capture_time_values, extra_features
from lerobot.datasets.format.features import default_features
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer import assembly
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

STATE = {"observation.state": {"dtype": "float32", "shape": (2,), "names": None}}
TINY = {"cam": {"dtype": "video", "shape": (32, 48, 3), "names": ["height", "width", "channels"]}}


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def state(value=0.0):
    return {"observation.state": np.full(2, value, np.float32), "task": "t"}


def test_every_saved_episode_is_a_dataset_of_small_files(tmp_path, kit):
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES, robot_type="so101")
    for label in range(3):
        saved = kit.record(recorder, label, 4 + label)
        assert (saved.index, saved.length) == (label, 4 + label)
        kit.check_dataset(root, list(range(label + 1)), [4, 5, 6][: label + 1])
    recorder.close()
    assert files(root) == sorted(
        ["meta/info.json", "meta/stats.json", "meta/tasks.parquet"]
        + [f"data/chunk-000/file-00{i}.parquet" for i in range(3)]
        + [f"meta/episodes/chunk-000/file-00{i}.parquet" for i in range(3)]
        + [f"videos/{key}/chunk-000/file-00{i}.mp4" for key in kit.CAMERAS for i in range(3)]
    )


def test_finalize_joins_the_files_and_keeps_every_frame(tmp_path, kit):
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES)
    lengths = [3, 1, 5]
    for label, length in enumerate(lengths):
        kit.record(recorder, label, length)
    recorder.add_frame(kit.frame(9, 0))
    recorder.finalize()
    kit.check_dataset(root, [0, 1, 2], lengths)
    assert files(root) == [
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.left/chunk-000/file-000.mp4",
        "videos/observation.images.right/chunk-000/file-000.mp4",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    rows = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet")
    assert rows.column("videos/observation.images.left/from_timestamp").to_pylist() == pytest.approx([0, 0.1, 4 / 30])
    assert rows.column("videos/observation.images.left/to_timestamp").to_pylist() == pytest.approx([0.1, 4 / 30, 0.3])
    data = pq.ParquetFile(root / "data/chunk-000/file-000.parquet")
    assert [data.metadata.row_group(i).num_rows for i in range(data.num_row_groups)] == lengths


def test_finalize_respects_the_file_sizes(tmp_path, kit):
    root = tmp_path / "set"
    features = {"blob": {"dtype": "uint8", "shape": (2000, 100), "names": None}}
    rng = np.random.default_rng(0)
    with DatasetRecorder.create(root, 30, features, data_files_size_in_mb=1) as recorder:
        for _ in range(5):
            for _ in range(2):
                recorder.add_frame({"blob": rng.integers(0, 255, (2000, 100), np.uint8)}, "t")
            recorder.save_episode()
    sizes = [path.stat().st_size for path in sorted((root / "data").glob("*/*"))]
    assert len(sizes) == 3
    assert max(sizes) < 2**20
    places = pq.read_table(root / "meta/episodes").column("data/file_index").to_pylist()
    assert places == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("finalized", [True, False])
def test_resuming_appends(tmp_path, kit, finalized):
    root = tmp_path / "set"
    first = DatasetRecorder.create(root, 30, kit.FEATURES)
    kit.record(first, 0, 4)
    kit.record(first, 1, 3)
    first.finalize() if finalized else first.close()
    with DatasetRecorder.resume(root, features=kit.FEATURES) as second:
        kit.record(second, 2, 5)
        kit.check_dataset(root, [0, 1, 2], [4, 3, 5])
    kit.check_dataset(root, [0, 1, 2], [4, 3, 5])


def test_statistics_equal_numpy_and_do_not_depend_on_the_way(tmp_path, kit):
    rng = np.random.default_rng(0)
    features = {
        **STATE,
        "n": {"dtype": "int64", "shape": (1,), "names": None},
        "ok": {"dtype": "bool", "shape": (1,), "names": None},
    }
    values = rng.normal(1000, 0.1, (60, 2)).astype(np.float32)

    def record(root, cuts, resumes):
        recorder = DatasetRecorder.create(root, 30, features)
        for i, part in enumerate(np.split(np.arange(60), cuts)):
            for k in part:
                recorder.add_frame({"observation.state": values[k], "n": int(k), "ok": k % 3 == 0}, "t")
            recorder.save_episode()
            running = json.loads((root / "meta/stats.json").read_text())["observation.state"]
            np.testing.assert_allclose(running["std"], values[: part[-1] + 1].std(axis=0, dtype=np.float64), rtol=1e-9)
            if i in resumes:
                recorder.finalize()
                recorder = DatasetRecorder.resume(root)
        recorder.finalize()
        return json.loads((root / "meta/stats.json").read_text())

    one = record(tmp_path / "one", [20, 30], [])
    other = record(tmp_path / "other", [10, 11, 50], [0, 2])
    for key in ("observation.state", "n", "ok"):
        for name, value in one[key].items():
            np.testing.assert_allclose(other[key][name], value, rtol=1e-9, atol=1e-9, err_msg=f"{key} {name}")
    exact = values.astype(np.float64)
    np.testing.assert_allclose(one["observation.state"]["mean"], exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(one["observation.state"]["q10"], np.quantile(exact, 0.1, axis=0), atol=0.02)
    assert one["observation.state"]["count"] == [60]
    assert one["ok"]["min"] == [0.0]
    assert one["ok"]["mean"] == [pytest.approx(20 / 60)]
    assert one["index"]["max"] == [59.0]


def test_an_episode_of_one_frame_is_saved(tmp_path, kit):
    """In the streaming path of others it has no image statistics and takes all buffered metadata with it."""
    root = tmp_path / "set"
    with DatasetRecorder.create(root, 30, kit.FEATURES) as recorder:
        kit.record(recorder, 0, 1)
        kit.record(recorder, 1, 2)
    kit.check_dataset(root, [0, 1], [1, 2])
    stats = json.loads((root / "meta/stats.json").read_text())
    assert np.shape(stats["observation.images.left"]["mean"]) == (3, 1, 1)


def test_tasks_are_numbered_in_the_order_of_their_frames(tmp_path):
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, STATE)
    for task in ["b", "a", "c", "a", "b"]:
        recorder.add_frame({**state(), "task": task})
    recorder.save_episode()
    recorder.add_frame(state(), task="d")
    recorder.save_episode()
    recorder.finalize()
    assert pq.read_table(root / "meta/tasks.parquet").to_pydict() == {
        "task_index": [0, 1, 2, 3],
        "task": ["b", "a", "c", "d"],
    }
    assert pq.read_table(root / "meta/episodes").column("tasks").to_pylist() == [["b", "a", "c"], ["d"]]
    assert pq.read_table(root / "data").column("task_index").to_pylist() == [0, 1, 2, 1, 0, 3]


def test_info_says_what_was_recorded(tmp_path, kit):
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 12.5, kit.FEATURES, robot_type="so101")
    before = json.loads((root / "meta/info.json").read_text())
    assert (before["total_episodes"], before["splits"]) == (0, {})
    kit.record(recorder, 0, 4)
    recorder.close()
    info = json.loads((root / "meta/info.json").read_text())
    assert {
        key: info[key]
        for key in ("codebase_version", "fps", "total_episodes", "total_frames", "total_tasks", "splits", "robot_type")
    } == {
        "codebase_version": "v3.0",
        "fps": 12.5,
        "total_episodes": 1,
        "total_frames": 4,
        "total_tasks": 1,
        "splits": {"train": "0:1"},
        "robot_type": "so101",
    }
    assert list(info["features"]) == [*kit.FEATURES, *default_features()]
    video = info["features"]["observation.images.left"]["info"]
    assert (video["video.codec"], video["video.pix_fmt"], video["video.height"]) == ("h264", "yuv420p", kit.HEIGHT)
    assert video["is_depth_map"] is False


def test_no_video_template_without_video(tmp_path):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, STATE)
    recorder.close()
    assert json.loads((tmp_path / "set/meta/info.json").read_text())["video_path"] is None


@pytest.mark.parametrize(
    ("change", "keys", "text"),
    [
        ({"observation.state": None}, ["observation.state"], "lacks"),
        ({"extra": 1.0}, ["extra"], "does not declare"),
        ({"timestamp": np.float32(0)}, ["timestamp"], "fills itself"),
        ({"observation.state": np.zeros(2)}, ["observation.state"], "float64"),
        ({"observation.state": np.zeros(3, np.float32)}, ["observation.state"], r"\(3,\)"),
        ({"observation.state": [0.0, 0.0]}, ["observation.state"], "float64"),
        ({"observation.state": np.array([0, np.nan], np.float32)}, ["observation.state"], r"nan at \(1,\)"),
        ({"observation.state": np.array([np.inf, 0], np.float32)}, ["observation.state"], "inf"),
        ({"cam": np.zeros((3, 48, 32), np.uint8)}, ["cam"], "shape"),
        ({"cam": np.zeros((32, 48, 3), np.int32)}, ["cam"], "int32"),
        ({"cam": np.full((32, 48, 3), 1.5)}, ["cam"], "1.5"),
        ({"task": None}, ["task"], "task"),
        ({"task": 3}, ["task"], "task"),
    ],
)
def test_a_wrong_frame_is_refused_whole_and_the_episode_goes_on(tmp_path, change, keys, text):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, {**STATE, **TINY})
    good = {**state(), "cam": np.zeros((32, 48, 3), np.uint8)}
    recorder.add_frame(good)
    wrong = {key: value for key, value in {**good, **change}.items() if value is not None}
    with pytest.raises(FeatureMismatchError, match=text) as caught:
        recorder.add_frame(wrong)
    assert list(caught.value.keys) == keys
    recorder.add_frame(good)
    assert recorder.save_episode().length == 2
    recorder.finalize()


def test_images_are_taken_in_every_usual_form(tmp_path):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    features = {"cam": {"dtype": "image", "shape": (8, 10, 3), "names": ["height", "width", "channels"]}}
    image = rng.integers(0, 256, (8, 10, 3), np.uint8)
    forms = [
        image,
        image.transpose(2, 0, 1),
        PIL.Image.fromarray(image),
        torch.from_numpy(image.transpose(2, 0, 1).copy()),
        (image / 255).astype(np.float32),
        torch.from_numpy(image.transpose(2, 0, 1) / 255),
    ]
    with DatasetRecorder.create(tmp_path / "set", 30, features) as recorder:
        for form in forms:
            recorder.add_frame({"cam": form}, "t")
        recorder.save_episode()
    stored = pq.read_table(tmp_path / "set/data").column("cam").to_pylist()
    assert len({row["bytes"] for row in stored}) == 1
    assert stored[1]["path"] == "frame-000001.png"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_of_float_are_rounded_to_the_nearest_level(tmp_path, dtype):
    """A quarter of a level below or above each of the 256 levels is that level, also below."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    features = {"cam": {"dtype": "image", "shape": (16, 16, 3), "names": ["height", "width", "channels"]}}
    with DatasetRecorder.create(tmp_path / "set", 30, features) as recorder:
        for shift in (-0.25, 0.25):
            image = np.clip((levels + shift) / 255, 0, 1).astype(dtype)
            recorder.add_frame({"cam": image}, "t")
        recorder.save_episode()
    for row in pq.read_table(tmp_path / "set/data").column("cam").to_pylist():
        np.testing.assert_array_equal(np.asarray(PIL.Image.open(io.BytesIO(row["bytes"]))), levels)


def test_the_caller_may_reuse_its_buffers(tmp_path, kit):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    buffer = kit.frame(0, 0)
    for number in range(5):
        for key, value in kit.frame(0, number).items():
            if isinstance(value, np.ndarray):
                buffer[key][...] = value
        recorder.add_frame(buffer)
    recorder.save_episode()
    recorder.finalize()
    kit.check_dataset(tmp_path / "set", [0], [5])


def test_recording_imports_no_torch():
    code = "import sys, lerobot.datasets.writer.recorder; sys.exit('torch' in sys.modules or 'datasets' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_to_save(tmp_path):
    with DatasetRecorder.create(tmp_path / "set", 30, STATE) as recorder:
        with pytest.raises(DatasetError, match="no frame"):
            recorder.save_episode()
        recorder.add_frame(state())
        recorder.clear_episode_buffer()
        with pytest.raises(DatasetError, match="no episode"):
            recorder.save_episode()
    with pytest.raises(DatasetError, match="closed"):
        recorder.add_frame(state())
    recorder.finalize()


def test_a_second_writer_is_refused(tmp_path):
    root = tmp_path / "set"
    first = DatasetRecorder.create(root, 30, STATE)
    with pytest.raises(DatasetError, match="written by another"):
        DatasetRecorder.resume(root)
    first.add_frame(state())
    first.save_episode()
    first.finalize()
    DatasetRecorder.resume(root).close()


def test_an_existing_folder_is_not_overwritten(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(DatasetError, match="already exists"):
        DatasetRecorder.create(tmp_path, 30, STATE)
    assert files(tmp_path) == ["precious.txt"]


@pytest.mark.parametrize(
    ("features", "key"),
    [
        ({}, "observation.state"),
        ({**STATE, "new": {"dtype": "float32", "shape": (1,), "names": None}}, "new"),
        ({"observation.state": {"dtype": "float32", "shape": (3,), "names": None}}, "observation.state"),
        ({"observation.state": {"dtype": "float32", "shape": (2,), "names": ["x", "y"]}}, "observation.state"),
    ],
)
def test_resuming_with_other_features_is_refused(tmp_path, features, key):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, STATE)
    recorder.add_frame(state())
    recorder.save_episode()
    recorder.finalize()
    before = {name: (tmp_path / "set" / name).read_bytes() for name in files(tmp_path / "set")}
    with pytest.raises(FeatureMismatchError, match=key):
        DatasetRecorder.resume(tmp_path / "set", features=features)
    assert {name: (tmp_path / "set" / name).read_bytes() for name in files(tmp_path / "set")} == before


@pytest.mark.parametrize(
    "config",
    [{"vcodec": "h264", "preset": "warp"}, {"vcodec": "h264", "pix_fmt": "gray12le"}, {"vcodec": "h264_nvenc"}],
)
def test_an_encoder_that_does_not_start_is_refused_before_recording(tmp_path, config):
    options = WritingOptions(rgb_encoder=RGBEncoderConfig(**config))
    with pytest.raises(DatasetError, match=config["vcodec"]):
        DatasetRecorder.create(tmp_path / "set", 30, TINY, options=options)
    assert files(tmp_path) == []
    DatasetRecorder.create(tmp_path / "set", 30, TINY).close()


def test_an_encoder_that_fails_loses_its_episode_and_nothing_else(tmp_path, kit, monkeypatch):
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES)
    kit.record(recorder, 0, 3)
    healthy = VideoFileEncoder.add

    def add(self, image):
        if "right" in self.path.name and self.images == 2:
            raise OSError(28, "No space left on device")
        healthy(self, image)

    monkeypatch.setattr(VideoFileEncoder, "add", add)
    with pytest.raises(DatasetError, match="No space left"):
        kit.record(recorder, 1, 50)
    with pytest.raises(DatasetError):
        recorder.save_episode()
    kit.check_dataset(root, [0], [3])
    monkeypatch.undo()
    recorder.clear_episode_buffer()
    kit.record(recorder, 2, 4)
    recorder.finalize()
    kit.check_dataset(root, [0, 2], [3, 4])


def test_a_lost_image_is_noticed_at_save(tmp_path, kit, monkeypatch):
    """A codec that swallows an image would shift all that follow."""
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    healthy = VideoFileEncoder._encode
    monkeypatch.setattr(
        VideoFileEncoder, "_encode", lambda self, frame: None if frame and frame.pts == 1 else healthy(self, frame)
    )
    with pytest.raises(DatasetError, match="holds 4 images after 5"):
        kit.record(recorder, 0, 5)
    recorder.close()


def test_images_at_wrong_times_are_noticed_at_save(tmp_path, kit, monkeypatch):
    """As many images as rows, but from the third on each a frame late: row k would show image k - 1."""
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES)
    kit.record(recorder, 0, 3)
    healthy = VideoFileEncoder._encode

    def encode(self, frame):
        if frame is not None and frame.pts >= 2:
            frame.pts += 1
        healthy(self, frame)

    monkeypatch.setattr(VideoFileEncoder, "_encode", encode)
    with pytest.raises(DatasetError, match=r"episode 1 was not saved: image 2 of \S+ is shown at 0\.1"):
        kit.record(recorder, 1, 5)
    monkeypatch.undo()
    recorder.clear_episode_buffer()
    kit.record(recorder, 2, 4)
    recorder.finalize()
    kit.check_dataset(root, [0, 2], [3, 4])


@pytest.mark.parametrize("key", ["index", "episode_index", "frame_index", "timestamp", "task_index"])
def test_wrong_rows_are_noticed_at_save(tmp_path, kit, monkeypatch, key):
    """What is on the disk is read back before it is believed, whatever went wrong on the way there."""
    root = tmp_path / "set"
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES)
    kit.record(recorder, 0, 3)
    healthy = assembly.data_table

    def shifted(schema, columns):
        return healthy(schema, {**columns, key: columns[key] + np.array([0, 0, 7, 0], columns[key].dtype)})

    monkeypatch.setattr(assembly, "data_table", shifted)
    with pytest.raises(DatasetError, match=r"of episode 8|frame 2"):
        kit.record(recorder, 1, 4)
    kit.check_dataset(root, [0], [3])
    monkeypatch.undo()
    assert recorder.save_episode().index == 1
    kit.check_dataset(root, [0, 1], [3, 4])
    recorder.close()


def test_a_slow_encoder_slows_the_loop_and_moves_no_image(tmp_path, kit, monkeypatch, caplog):
    healthy, permits = VideoFileEncoder.add, threading.Semaphore(0)

    def add(self, image):
        permits.acquire()
        healthy(self, image)

    monkeypatch.setattr(VideoFileEncoder, "add", add)
    recorder = DatasetRecorder.create(
        tmp_path / "set", 30, kit.FEATURES, options=WritingOptions(encoder_queue_maxsize=2)
    )

    def release_late():
        permits.release(1000)

    timer = threading.Timer(0.3, release_late)
    timer.start()
    with caplog.at_level(logging.WARNING):
        saved = kit.record(recorder, 0, 20)
    timer.join()
    assert saved.waited_s > 0
    assert "the encoder does not keep up" in caplog.text
    recorder.finalize()
    kit.check_dataset(tmp_path / "set", [0], [20])


def test_extra_columns_keep_capture_times_and_the_requested_action(tmp_path):
    features = {**STATE, "action": {"dtype": "float32", "shape": (2,), "names": ["x", "y"]}}
    features |= extra_features(features)
    assert list(features) == [
        "observation.state",
        "action",
        "capture_time.observation.state",
        "capture_time.action",
        "requested_action",
    ]
    assert features["requested_action"]["names"] == ["x", "y"]
    with DatasetRecorder.create(tmp_path / "set", 30, features) as recorder:
        times = capture_time_values({"observation.state": 12345.671, "action": 12345.675}, begin_s=12345.67)
        sent, asked = np.array([1, 2], np.float32), np.array([5, 2], np.float32)
        recorder.add_frame({**state(), **times, "action": sent, "requested_action": asked})
        recorder.save_episode()
    row = pq.read_table(tmp_path / "set/data").to_pylist()[0]
    assert (row["action"], row["requested_action"]) == ([1, 2], [5, 2])
    assert row["capture_time.action"] == pytest.approx(0.005, abs=1e-9)


def test_a_feature_may_be_called_image_without_being_one(tmp_path):
    """Elsewhere the second save of a numeric feature with 'image' in its name fails."""
    features = {"image_embedding": {"dtype": "float32", "shape": (4,), "names": None}}
    with DatasetRecorder.create(tmp_path / "set", 30, features) as recorder:
        for _ in range(2):
            recorder.add_frame({"image_embedding": np.zeros(4, np.float32)}, "t")
            recorder.save_episode()
    assert pq.read_table(tmp_path / "set/data").num_rows == 2
