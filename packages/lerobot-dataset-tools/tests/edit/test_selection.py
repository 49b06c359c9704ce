"""Deleting, splitting and merging: the chosen frames and nothing else, bit for bit."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.datasets.format.info import load_info
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 4, 1, 5, 2, 6]
SLOW_FIXTURES = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def flat(parts):
    return [value for part in parts for value in part]


@SLOW_FIXTURES
@given(deleted=st.sets(st.integers(0, 5), min_size=1, max_size=5))
def test_deleting_keeps_every_value_and_image_of_the_others(
    deleted, recorded, recorded_hashes, hashes, kit, tmp_path_factory, statistics_are_exact
):
    result = delete_episodes(recorded, sorted(deleted), tmp_path_factory.mktemp("out") / "new")
    kept = [label for label in range(6) if label not in deleted]
    assert hashes(result.root) == flat(recorded_hashes[label] for label in kept)
    kit.check_dataset(result.root, kept, [LENGTHS[label] for label in kept])
    statistics_are_exact(result.root)


@SLOW_FIXTURES
@given(order=st.permutations(["a", "b", "c"]), joined=st.booleans())
def test_a_merge_is_one_dataset_after_the_other(
    order, joined, recorded, recorded_hashes, hashes, tmp_path_factory, statistics_are_exact
):
    folder = tmp_path_factory.mktemp("parts")
    numbers = {"a": [0, 5], "b": [1, 2], "c": [3, 4]}
    targets = split(recorded, numbers, folder)
    roots = [targets[name] for name in order]
    result = merge(roots, folder / "merged", join_data=joined, join_videos=joined)
    assert hashes(result.root) == flat(recorded_hashes[label] for name in order for label in numbers[name])
    files = len(list((result.root / "videos").rglob("*.mp4")))
    assert files == (2 if joined else 6)
    statistics_are_exact(result.root)


def test_no_image_is_encoded_when_episodes_begin_at_key_frames(dataset, monkeypatch):
    import av

    def refuse(*_, **__):
        raise AssertionError("an image was decoded or encoded")

    monkeypatch.setattr("lerobot.dataset_tools.edit.parts.encode_range", refuse)
    monkeypatch.setattr(av.VideoFrame, "from_ndarray", refuse)
    delete_episodes(dataset, [1, 4])
    info = load_info(dataset)
    assert (info.total_episodes, info.total_frames) == (4, 15)


def test_edits_one_after_another_equal_one_edit(dataset, recorded_hashes, hashes, statistics_are_exact, tmp_path):
    """Merging twice, deleting and splitting in turn: still the right frames, and statistics from scratch."""
    delete_episodes(dataset, [0])
    merged = merge([dataset, dataset], tmp_path / "twice").root
    delete_episodes(merged, [1, 5, 9])
    parts = split(merged, {"first": 0.5, "rest": 0.5})
    order = [1, 3, 4, 5, 2, 3, 4]
    assert hashes(parts["first"]) + hashes(parts["rest"]) == flat(recorded_hashes[label] for label in order)
    for part in parts.values():
        statistics_are_exact(part)


def test_sources_with_several_files_of_every_kind(kit, tmp_path, hashes):
    """Z8: numbers of files differ from those of the source, so no number may be carried over."""
    roots = []
    for name in ("one", "two"):
        recorder = DatasetRecorder.create(tmp_path / name, 30, kit.FEATURES)
        for label, length in enumerate([2, 3, 1]):
            kit.record(recorder, label, length)
        recorder.close()  # not finalized: one file per episode
        roots.append(tmp_path / name)
    merged = merge(roots, tmp_path / "merged").root
    assert hashes(merged) == hashes(roots[0]) * 2
    rows = pq.read_table(merged / "meta/episodes/chunk-000/file-000.parquet")
    assert set(rows.column("meta/episodes/file_index").to_pylist()) == {0}
    delete_episodes(merged, [0, 4])
    kit.check_dataset(merged, [1, 2, 0, 2], [3, 1, 2, 1])


def test_videos_of_different_codecs_are_kept_apart(kit, tmp_path, hashes):
    roots = []
    for name, codec in (("one", "h264"), ("two", "libsvtav1")):
        options = WritingOptions(rgb_encoder=RGBEncoderConfig(vcodec=codec))
        with DatasetRecorder.create(tmp_path / name, 30, kit.FEATURES, options=options) as recorder:
            kit.record(recorder, 0, 3)
            kit.record(recorder, 1, 2)
        roots.append(tmp_path / name)
    # What the cameras are called to be differs too, which the declarations show.
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.left"):
        merge(roots, tmp_path / "merged")
    document = json.loads((roots[1] / "meta/info.json").read_text())
    for key in kit.CAMERAS:
        document["features"][key]["info"]["video.codec"] = "h264"
    (roots[1] / "meta/info.json").write_text(json.dumps(document))
    merged = merge(roots, tmp_path / "merged").root
    assert len(list((merged / "videos").rglob("*.mp4"))) == 4
    assert hashes(merged) == hashes(roots[0]) + hashes(roots[1])


def test_the_last_file_deleted_first_leaves_no_hole(dataset, tmp_path):
    """Z10: files of the result are numbered from 0 whatever remains."""
    recorder = DatasetRecorder.resume(dataset)
    recorder.close()
    result = delete_episodes(dataset, [0, 1, 2, 3, 4], tmp_path / "one").root
    for kind in ("data", "videos/observation.images.left", "meta/episodes"):
        assert [path.stem for path in (result / kind).rglob("file-*")] == ["file-000"]


def test_a_deleted_episode_is_gone_from_the_videos(dataset):
    import av

    delete_episodes(dataset, [3])
    for path in (dataset / "videos").rglob("*.mp4"):
        with av.open(str(path)) as container:
            assert container.streams.video[0].frames == sum(LENGTHS) - LENGTHS[3]


def test_only_tasks_in_use_remain_in_their_order(dataset):
    delete_episodes(dataset, [1, 4])
    assert pq.read_table(dataset / "meta/tasks.parquet").column("task").to_pylist() == ["task 0", "task 2"]
    rows = pq.read_table(dataset / "data/chunk-000/file-000.parquet").to_pylist()
    assert [row["task_index"] for row in rows] == [0] * 3 + [1] + [0] * 5 + [1] * 6
    assert [row["index"] for row in rows] == list(range(15))


def test_customized_sizes_and_unknown_entries_stay(dataset):
    document = json.loads((dataset / "meta/info.json").read_text()) | {"data_files_size_in_mb": 7, "who": "me"}
    (dataset / "meta/info.json").write_text(json.dumps(document))
    delete_episodes(dataset, [0])
    after = json.loads((dataset / "meta/info.json").read_text())
    assert (after["data_files_size_in_mb"], after["who"], after["splits"]) == (7, "me", {"train": "0:5"})


@pytest.mark.parametrize(
    ("shares", "sizes"),
    [({"a": 0.6, "b": 0.4}, [3, 3]), ({"a": 0.5, "b": 0.25}, [3, 1]), ({"a": 1}, [6]), ({"a": 0.1, "b": 0.9}, [6])],
)
def test_shares(recorded, tmp_path, shares, sizes):
    targets = split(recorded, shares, tmp_path / "parts")
    assert [load_info(target).total_episodes for target in targets.values()] == sizes


@pytest.mark.parametrize(
    ("splits", "what"),
    [
        ({"a": 0.7, "b": 0.7}, r"split fractions are \{'a': 0.7, 'b': 0.7\}"),
        ({"a": -0.1}, r"split fractions are \{'a': -0.1\}"),
        ({"a": [0, 1], "b": [1]}, "episode 1 is in splits 'a' and 'b'"),
        ({"a": [0, 6]}, "no episode 6"),
        ({"a": 0.5, "b": [1]}, "mix shares"),
        ({"../a": 0.5}, r"'\.\./a'"),
        ({}, "no split"),
    ],
)
def test_wrong_splits_are_refused_before_anything_is_written(recorded, tmp_path, splits, what):
    with pytest.raises(DatasetError, match=what):
        split(recorded, splits, tmp_path / "parts")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("episodes", "what"), [([6], "no episode 6"), ([-1], "no episode -1"), ([], "no episode"), (range(6), "nothing")]
)
def test_wrong_deletions_leave_the_dataset_alone(dataset, episodes, what, recorded_hashes, hashes):
    with pytest.raises(DatasetError, match=what):
        delete_episodes(dataset, episodes)
    assert hashes(dataset) == flat(recorded_hashes)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_different_robots_rates_and_features_are_not_merged(recorded, kit, tmp_path):
    others = {
        "rate": ((20, kit.FEATURES, "so101"), "fps is 30"),
        "robot": ((30, kit.FEATURES, "koch"), "robot_type is 'so101'"),
        "features": (
            (30, {**kit.FEATURES, "extra": {"dtype": "int64", "shape": (1,), "names": None}}, "so101"),
            "extra",
        ),
    }
    for name, ((fps, features, robot), what) in others.items():
        recorder = DatasetRecorder.create(tmp_path / name, fps, features, robot_type=robot)
        recorder.add_frame({**kit.frame(0, 0), **({"extra": 1} if "extra" in features else {})})
        recorder.save_episode()
        recorder.close()
        with pytest.raises(DatasetError if name != "features" else FeatureMismatchError, match=what):
            merge([recorded, tmp_path / name], tmp_path / "merged")
    with pytest.raises(DatasetError, match="already exists"):
        merge([recorded, recorded], tmp_path / "rate")


def test_annotations_of_episodes_move_with_them(dataset):
    path = dataset / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("sparse_subtask_names", [[[f"part {i}"] for i in range(6)]]), path)
    delete_episodes(dataset, [2])
    names = pq.read_table(path).column("sparse_subtask_names").to_pylist()
    assert names == [[f"part {i}"] for i in (0, 1, 3, 4, 5)]


def test_resuming_after_an_edit(dataset, kit):
    delete_episodes(dataset, [1])
    with DatasetRecorder.resume(dataset, features=kit.FEATURES) as recorder:
        kit.record(recorder, 7, 2)
    kit.check_dataset(dataset, [0, 2, 3, 4, 5, 7], [3, 1, 5, 2, 6, 2])


def test_a_missing_video_is_named(dataset, recorded):
    shutil.rmtree(dataset / "videos/observation.images.left")
    with pytest.raises(DatasetError, match=r"observation\.images\.left.*missing"):
        delete_episodes(dataset, [0])
    assert np.array_equal(load_info(dataset).total_episodes, 6)
