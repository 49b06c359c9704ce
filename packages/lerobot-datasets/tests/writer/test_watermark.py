"""Row k decodes to image k: every rate, codec and storage, with a throttled encoder, before and after joining."""

import time

import pytest

from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [1, 9, 4]


def record_all(root, kit, fps, features, options):
    recorder = DatasetRecorder.create(root, fps, features, options=options)
    for label, length in enumerate(LENGTHS):
        kit.record(recorder, label, length, features)
    kit.check_dataset(root, [0, 1, 2], LENGTHS)
    recorder.finalize()
    kit.check_dataset(root, [0, 1, 2], LENGTHS)
    with DatasetRecorder.resume(root, options=options) as recorder:
        kit.record(recorder, 3, 5, features)
        kit.check_dataset(root, [0, 1, 2, 3], [*LENGTHS, 5])
    kit.check_dataset(root, [0, 1, 2, 3], [*LENGTHS, 5])


@pytest.mark.parametrize("fps", [30, 29.97, 30000 / 1001, 12.5, 50])
def test_every_rate_with_a_throttled_encoder(tmp_path, kit, monkeypatch, fps):
    healthy = VideoFileEncoder.add

    def add(self, image):
        time.sleep(0.003 if "left" in self.path.name else 0)
        healthy(self, image)

    monkeypatch.setattr(VideoFileEncoder, "add", add)
    record_all(tmp_path / "set", kit, fps, kit.FEATURES, WritingOptions(encoder_queue_maxsize=1))


@pytest.mark.parametrize(
    "config", [{"vcodec": "libsvtav1"}, {"vcodec": "hevc"}, {"vcodec": "h264", "g": 10, "fast_decode": 1}]
)
def test_every_codec(tmp_path, kit, config):
    options = WritingOptions(rgb_encoder=RGBEncoderConfig(**config))
    record_all(tmp_path / "set", kit, 30, kit.FEATURES, options)


def test_images_in_the_data_file(tmp_path, kit):
    features = {
        key: {**feature, "dtype": "image"} if key in kit.CAMERAS else feature for key, feature in kit.FEATURES.items()
    }
    record_all(tmp_path / "set", kit, 30, features, WritingOptions())


def test_codecs_may_change_between_sessions(tmp_path, kit):
    """Files of different codecs are not joined, and every image keeps its place."""
    root = tmp_path / "set"
    for label, codec in enumerate(["h264", "libsvtav1", "libsvtav1", "h264"]):
        options = WritingOptions(rgb_encoder=RGBEncoderConfig(vcodec=codec))
        make = DatasetRecorder.resume if label else DatasetRecorder.create
        recorder = make(root, options=options) if label else make(root, 30, kit.FEATURES, options=options)
        kit.record(recorder, label, 3)
        recorder.close()
    DatasetRecorder.resume(root).finalize()
    kit.check_dataset(root, [0, 1, 2, 3], [3, 3, 3, 3])
    assert len(list((root / "videos/observation.images.left").glob("*/*"))) == 3
