"""Episodes without their first or last moments: what stays is what was, under new numbers and times."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.trim import trim
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.statistics.images import ImageStatistics
from lerobot.datasets.video.encode import image_count

LENGTHS = [3, 4, 1, 5, 2, 6]
RENUMBERED = {"index", "frame_index", "timestamp"}
FPS = 30


def frames_of(root):
    dataset = LeRobotDataset("me/set", root)
    return dataset, dataset.read_arrays(range(len(dataset)))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=st.integers(0, 2), end=st.integers(0, 2), chosen=st.sets(st.sampled_from([1, 3, 5]), min_size=1))
def test_what_stays_keeps_every_value_and_image(
    start, end, chosen, recorded, tmp_path_factory, kit, statistics_are_exact
):
    start, end = (start, end) if start + end else (1, 0)
    chosen = {episode for episode in chosen if LENGTHS[episode] > start + end}
    if not chosen:
        return
    root = shutil.copytree(recorded, tmp_path_factory.mktemp("trim") / "set")
    _, before = frames_of(root)
    trim(root, start_s=start / FPS, end_s=end / FPS, episodes=sorted(chosen))
    after, found = frames_of(root)
    wanted, at = [], 0
    for episode, length in enumerate(LENGTHS):
        cut = (start, end) if episode in chosen else (0, 0)
        wanted.append(before[at + cut[0] : at + length - cut[1]])
        at += length
    assert [len(part) for part in wanted] == after.meta.episodes.column("length").tolist()
    for old, new in zip([item for part in wanted for item in part], found, strict=True):
        for key in old.keys() - RENUMBERED:
            np.testing.assert_array_equal(new[key], old[key], err_msg=key)
    numbers = [number for part in wanted for number in range(len(part))]
    assert [int(item["frame_index"]) for item in found] == numbers
    np.testing.assert_allclose([float(item["timestamp"]) for item in found], np.array(numbers) / FPS, atol=1e-6)
    for key in kit.CAMERAS:
        images = [image_count(path) for path in (root / "videos" / key).rglob("*.mp4")]
        assert sum(images) == len(found), "what was cut off is gone from the videos too"
    statistics_are_exact(root)
    assert not [finding for finding in verify_dataset(root, pictures=False) if finding.severity == "error"]


def test_statistics_of_images_are_those_of_the_images_that_stay(dataset, kit):
    trim(dataset, start_s=2 / FPS, episodes=[5])
    after, found = frames_of(dataset)
    statistics = ImageStatistics(3)
    for item in found[-4:]:
        statistics.add(item[kit.CAMERAS[0]])
    rows = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    np.testing.assert_allclose(rows[5][f"stats/{kit.CAMERAS[0]}/mean"], statistics.summary()["mean"])
    assert after.meta.episodes[5]["length"] == 4


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, "0 and 0 frames"),
        ({"start_s": 0.001}, "0 and 0 frames"),
        ({"start_s": -1.0}, "-30 and 0 frames"),
        ({"start_s": 1 / FPS}, "episode 2 has 1 frames, of which 1"),
        ({"start_s": 1 / FPS, "episodes": [6]}, "no episode 6"),
    ],
)
def test_what_cannot_be_trimmed(dataset, settings, what):
    with pytest.raises(DatasetError, match=what):
        trim(dataset, **settings)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_annotations_that_count_frames_are_not_made_wrong(dataset):
    path = dataset / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("sparse_subtask_start_frames", [[[0]] * 6]), path)
    with pytest.raises(DatasetError, match="sparse_subtask_start_frames"):
        trim(dataset, end_s=1 / FPS, episodes=[5])
