"""Row k decodes to image k after every edit, at rates that are no whole numbers, recorded with a slow encoder."""

import time

import pytest

from lerobot.dataset_tools.edit.cameras import reencode_videos
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 4, 1, 5]


@pytest.mark.parametrize(
    ("fps", "finalized"),
    [
        *((29.97, False), (12.5, True)),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((29.97, True), (12.5, False), (50, False), (50, True))
        ),
    ],
)
def test_every_edit_at_every_rate(tmp_path, kit, monkeypatch, fps, finalized):
    healthy = VideoFileEncoder.add

    def add(self, image):
        time.sleep(0.002 if "left" in self.path.name else 0)
        healthy(self, image)

    with monkeypatch.context() as slowed:
        slowed.setattr(VideoFileEncoder, "add", add)
        recorder = DatasetRecorder.create(
            tmp_path / "set", fps, kit.FEATURES, options=WritingOptions(encoder_queue_maxsize=1)
        )
        for label, length in enumerate(LENGTHS):
            kit.record(recorder, label, length)
        (recorder.finalize if finalized else recorder.close)()
    parts = split(tmp_path / "set", {"a": [0, 2], "b": [1, 3]})
    kit.check_dataset(parts["a"], [0, 2], [3, 1])
    kit.check_dataset(parts["b"], [1, 3], [4, 5])
    merged = merge([parts["b"], tmp_path / "set"], tmp_path / "merged").root
    kit.check_dataset(merged, [1, 3, 0, 1, 2, 3], [4, 5, *LENGTHS])
    delete_episodes(merged, [1, 3])
    kit.check_dataset(merged, [1, 0, 2, 3], [4, 3, 1, 5])
    reencode_videos(merged, rgb_encoder=RGBEncoderConfig(vcodec="libsvtav1"))
    kit.check_dataset(merged, [1, 0, 2, 3], [4, 3, 1, 5])
    delete_episodes(merged, [2])
    kit.check_dataset(merged, [1, 0, 3], [4, 3, 5])
