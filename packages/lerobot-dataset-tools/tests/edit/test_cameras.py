"""Images stored as video, videos encoded anew, and what can be done with the result."""

import json

import numpy as np
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.cameras import convert_image_to_video, reencode_videos
from lerobot.dataset_tools.edit.selection import delete_episodes, merge
from lerobot.dataset_tools.edit.statistics import recompute_stats
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 1, 4]
DEPTH = "observation.depth"


@pytest.fixture
def stored_singly(kit, tmp_path):
    """Three episodes with two watermarked cameras stored as images."""
    features = {
        key: {**f, "dtype": "image" if f["dtype"] == "video" else f["dtype"]} for key, f in kit.FEATURES.items()
    }
    with DatasetRecorder.create(tmp_path / "images", 30, features) as recorder:
        for label, length in enumerate(LENGTHS):
            kit.record(recorder, label, length, features)
    return tmp_path / "images"


@pytest.fixture
def depth_images(tmp_path):
    """Three episodes with a depth camera stored as images: one distance an image."""
    names = ["height", "width", "channels"]
    features = {DEPTH: {"dtype": "image", "shape": (48, 64, 1), "names": names, "info": {"is_depth_map": True}}}
    with DatasetRecorder.create(tmp_path / "depth", 30, features) as recorder:
        for label, length in enumerate(LENGTHS):
            for number in range(length):
                recorder.add_frame({DEPTH: np.full((48, 64, 1), 500 + 100 * label + number, np.uint16)}, "look")
            recorder.save_episode()
    return tmp_path / "depth"


def depths(root):
    dataset = FrameDataset(LeRobotDatasetMetadata("a/b", root))
    return [float(np.unique(item[DEPTH]).item()) for item in dataset.read_arrays(range(len(dataset)))]


def test_images_become_video_that_every_edit_accepts(stored_singly, kit, tmp_path):
    """Z9: the result has all columns, so it can be deleted from, merged and given other tasks."""
    video = convert_image_to_video(stored_singly, tmp_path / "video").root
    kit.check_dataset(video, [0, 1, 2], LENGTHS)
    info = json.loads((video / "meta/info.json").read_text())
    described = info["features"]["observation.images.left"]
    assert (described["dtype"], described["info"]["video.codec"]) == ("video", "h264")
    assert (
        LeRobotDatasetMetadata("a/b", video).stats.keys() == LeRobotDatasetMetadata("a/b", stored_singly).stats.keys()
    )
    delete_episodes(video, [1])
    kit.check_dataset(video, [0, 2], [3, 4])
    merged = merge([video, video], tmp_path / "merged").root
    kit.check_dataset(merged, [0, 2, 0, 2], [3, 4, 3, 4])
    modify_tasks(merged, new_task="all")


def test_chosen_episodes_are_numbered_from_zero(stored_singly, kit, tmp_path):
    video = convert_image_to_video(stored_singly, tmp_path / "video", episodes=[0, 2]).root
    kit.check_dataset(video, [0, 2], [3, 4])


def test_single_images_are_edited_without_touching_one(stored_singly, kit, hashes, tmp_path, statistics_are_exact):
    before = hashes(stored_singly)
    kept = delete_episodes(stored_singly, [0], tmp_path / "kept").root
    assert hashes(kept) == before[3:]
    statistics_are_exact(kept)


def test_videos_encoded_anew_show_the_same_frames(dataset, kit):
    before = LeRobotDatasetMetadata("a/b", dataset).stats["observation.images.left"]
    reencode_videos(dataset, rgb_encoder=RGBEncoderConfig(vcodec="libsvtav1", crf=40))
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 5], [3, 4, 1, 5, 2, 6])
    info = json.loads((dataset / "meta/info.json").read_text())["features"]["observation.images.left"]["info"]
    assert (info["video.codec"], info["video.crf"], info["is_depth_map"]) == ("av1", 40, False)
    np.testing.assert_array_equal(
        LeRobotDatasetMetadata("a/b", dataset).stats["observation.images.left"]["mean"], before["mean"]
    )


def test_depth_becomes_video_and_stays_the_same_depth(depth_images, tmp_path):
    video = convert_image_to_video(depth_images, tmp_path / "video").root
    stored = depths(video)
    np.testing.assert_allclose(stored, depths(depth_images), atol=2)  # 12-bit codes, finer near the camera
    info = json.loads((video / "meta/info.json").read_text())["features"][DEPTH]["info"]
    assert (info["video.codec"], info["depth_unit"], info["is_depth_map"]) == ("hevc", "mm", True)
    reencode_videos(video)
    assert depths(video) == stored
    reencode_videos(video, depth_encoder=DepthEncoderConfig(use_log=False, depth_max=4.0))
    np.testing.assert_allclose(depths(video), stored, atol=1)


def test_nothing_to_encode(dataset, stored_singly, tmp_path):
    with pytest.raises(DatasetError, match="no camera stored as images"):
        convert_image_to_video(dataset, tmp_path / "new")
    with pytest.raises(DatasetError, match="no camera stored as video"):
        reencode_videos(stored_singly)
    with pytest.raises(DatasetError, match="no episode 3"):
        convert_image_to_video(stored_singly, tmp_path / "new", episodes=[3])


def test_recomputing_mends_wrong_statistics(dataset, statistics_are_exact):
    path = dataset / "meta/stats.json"
    stats = json.loads(path.read_text())
    images = stats["observation.images.left"]
    stats["action"]["mean"] = [9.0, 9.0, 9.0]
    path.write_text(json.dumps(stats))
    recompute_stats(dataset)
    statistics_are_exact(dataset)
    assert json.loads(path.read_text())["observation.images.left"] == images


def test_statistics_of_images_from_decoded_images(dataset):
    """All frames of these short episodes are sampled, so the mean is that of all decoded pixels."""
    recompute_stats(dataset, skip_image_video=False)
    frames = FrameDataset(LeRobotDatasetMetadata("a/b", dataset))
    pixels = np.stack([item["observation.images.left"] for item in frames.read_arrays(range(len(frames)))]) / 255
    stats = frames.meta.stats["observation.images.left"]
    np.testing.assert_allclose(stats["mean"].ravel(), pixels.mean(axis=(0, 1, 2)), rtol=1e-9)
    np.testing.assert_allclose(stats["std"].ravel(), pixels.std(axis=(0, 1, 2)), rtol=1e-6)
    assert stats["count"].tolist() == [21]


def test_statistics_of_relative_actions(dataset):
    """Against the definition written out: over all windows of an episode, action[t+k] - state[t]."""
    recompute_stats(dataset, relative_action=True, chunk_size=3, relative_exclude_joints=["b"])
    frames = FrameDataset(LeRobotDatasetMetadata("a/b", dataset))
    items = frames.read_arrays(range(len(frames)), pictures=False)
    values = []
    for t in range(len(items)):
        window = items[t : t + 3]
        if len(window) == 3 and window[-1]["episode_index"] == window[0]["episode_index"]:
            state = window[0]["observation.state"].astype(np.float64) * [1, 0, 1]
            values += [item["action"].astype(np.float64) - state for item in window]
    stats = frames.meta.stats["action"]
    assert stats["count"].tolist() == [len(values)]
    np.testing.assert_allclose(stats["mean"], np.mean(values, axis=0))
    np.testing.assert_allclose(stats["std"], np.std(values, axis=0))
    with pytest.raises(DatasetError, match="chunk_size 50"):
        recompute_stats(dataset, relative_action=True)


def test_images_of_odd_size_become_video_and_are_encoded_anew(tmp_path):
    key, names = "observation.images.crop", ["height", "width", "channels"]
    features = {key: {"dtype": "image", "shape": (65, 67, 3), "names": names}}
    image = np.full((65, 67, 3), 90, np.uint8)
    image[-1], image[:, -1] = 255, 255
    with DatasetRecorder.create(tmp_path / "images", 30, features) as recorder:
        recorder.add_frame({key: image}, "look")
        recorder.save_episode()
    video = convert_image_to_video(tmp_path / "images", tmp_path / "video").root
    small = reencode_videos(video, tmp_path / "small", rgb_encoder=RGBEncoderConfig(vcodec="hevc", crf=10)).root
    for root in (video, small):
        (row,) = FrameDataset(LeRobotDatasetMetadata("a/b", root)).read_arrays([0])
        np.testing.assert_allclose(row[key].astype(int), image, atol=25)


def test_images_of_other_channels_do_not_become_video(stored_singly, tmp_path):
    path = stored_singly / "meta/info.json"
    info = json.loads(path.read_text())
    info["features"]["observation.images.left"]["shape"][2] = 4
    path.write_text(json.dumps(info))
    with pytest.raises(FeatureMismatchError, match=r"observation.images.left.* cannot be stored"):
        convert_image_to_video(stored_singly, tmp_path / "video")
