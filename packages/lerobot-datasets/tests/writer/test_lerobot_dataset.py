"""Recording under the name users know."""

import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video.encoder_config import RGBEncoderConfig


def test_create_add_save_read_finalize_resume(tmp_path, kit):
    dataset = LeRobotDataset.create(
        "user/set",
        30,
        kit.FEATURES,
        root=tmp_path / "set",
        robot_type="so101",
        image_writer_threads=4,
        streaming_encoding=True,
        rgb_encoder=RGBEncoderConfig(vcodec="h264", g=4),
    )
    for label, length in enumerate([3, 2]):
        for number in range(length):
            dataset.add_frame(kit.frame(label, number))
        dataset.save_episode()
        assert dataset.num_episodes == label + 1
    assert len(dataset) == 5
    assert dataset.meta.info.features[kit.CAMERAS[0]]["info"]["video.g"] == 4
    item = dataset[4]
    assert item["observation.state"].tolist() == [1, 1, 1001]
    assert kit.read_watermark((item[kit.CAMERAS[1]].permute(1, 2, 0) * 255).numpy()) == (1, 1, 1)
    dataset.add_frame(kit.frame(7, 0))
    dataset.clear_episode_buffer()
    dataset.finalize()
    assert dataset[4]["task"] == "task 1"
    again = LeRobotDataset.resume("user/set", root=tmp_path / "set", features=kit.FEATURES)
    again.add_frame(kit.frame(2, 0))
    again.save_episode()
    again.finalize()
    kit.check_dataset(tmp_path / "set", [0, 1, 2], [3, 2, 1])


def test_saving_does_not_read_the_dataset_again(tmp_path, kit, monkeypatch):
    """Reading every episode after each one would make the thousandth as slow as all before together."""
    dataset = LeRobotDataset.create("user/set", 30, kit.FEATURES, root=tmp_path / "set")
    loads = []
    reload = type(dataset.meta).reload
    monkeypatch.setattr(type(dataset.meta), "reload", lambda self: (loads.append(1), reload(self)))
    for label in range(3):
        dataset.add_frame(kit.frame(label, 0))
        dataset.save_episode()
    assert loads == []
    assert dataset.num_episodes == 3
    assert len(loads) == 1
    dataset.finalize()


def test_an_unknown_argument_is_refused(tmp_path, kit):
    with pytest.raises(TypeError, match="enccoder_threads"):
        LeRobotDataset.create("user/set", 30, kit.FEATURES, root=tmp_path / "set", enccoder_threads=2)


def test_a_dataset_opened_for_reading_is_not_written(tmp_path, kit):
    LeRobotDataset.create("user/set", 30, kit.FEATURES, root=tmp_path / "set").finalize()
    with pytest.raises(DatasetError, match="opened for reading"):
        LeRobotDataset("user/set", root=tmp_path / "set").add_frame(kit.frame(0, 0))
