"""Cameras of every size are stored at full content; what the format cannot store is refused at once."""

import json
import logging
from pathlib import Path

import av
import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.checks.structure import check_structure
from lerobot.datasets.format import layout
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.recorder import DatasetRecorder

KEY = "observation.images.cam"


def features(shape: tuple[int, ...], dtype: str = "video", **info: object) -> dict[str, object]:
    return {KEY: {"dtype": dtype, "shape": shape, "names": ["height", "width", "channels"], "info": info or None}}


def picture(shape: tuple[int, ...], level: int) -> np.ndarray:
    """Grey of one level with a white last row and last column, which a cropped image would not have."""
    image = np.full(shape, level, np.uint8)
    image[-1], image[:, -1] = 255, 255
    return image


def record(root: Path, shape: tuple[int, ...], levels: list[int]) -> Path:
    make = DatasetRecorder.resume if root.exists() else DatasetRecorder.create
    arguments = (root,) if root.exists() else (root, 10, features(shape))
    with make(*arguments) as recorder:
        for level in levels:
            recorder.add_frame({KEY: picture(shape, level)}, "t")
        recorder.save_episode()
    return root


@pytest.mark.parametrize("size", [(65, 67), (64, 67), (65, 64), (7, 3)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_odd_sizes_are_stored_with_the_defaults_and_resumed(tmp_path: Path, size: tuple[int, int]) -> None:
    shape = (*size, 3)
    levels = [0, 40, 80, 120]
    record(record(tmp_path / "d", shape, levels[:2]), shape, levels[2:])
    images = [item[KEY] for item in LeRobotDataset("a/b", tmp_path / "d").read_arrays(range(4))]
    for image, level in zip(images, levels, strict=True):
        # Coding costs a few levels, a lost row or column costs more than a hundred.
        np.testing.assert_allclose(image.astype(int), picture(shape, level), atol=25)
    assert check_structure(tmp_path / "d") == []
    info = json.loads((tmp_path / "d/meta/info.json").read_text())["features"][KEY]["info"]
    assert (info["video.height"], info["video.width"], info["video.pix_fmt"]) == (*size, "yuv444p")


# A size of its own each: the same words are said once only.
@pytest.mark.parametrize(("vcodec", "width"), [("h264", 63), ("hevc", 65), ("libsvtav1", 67), ("auto", 69)])
def test_every_codec_takes_an_odd_size_and_says_what_it_changes(
    tmp_path: Path, vcodec: str, width: int, caplog: pytest.LogCaptureFixture
) -> None:
    config, path = RGBEncoderConfig(vcodec=vcodec), tmp_path / "v.mp4"
    with caplog.at_level(logging.WARNING):
        encoder = VideoFileEncoder(path, frame_rate(10), 61, width, config)
        encoder.add(picture((61, width, 3), 80))
        encoder.close()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width) == (61, width)
        used = stream.pix_fmt
    assert used == ("yuv420p" if vcodec == "libsvtav1" else "yuv444p")
    assert ("are stored as yuv444p" in caplog.text) == (used == "yuv444p")


def test_even_sizes_are_stored_as_before(tmp_path: Path) -> None:
    record(tmp_path / "d", (64, 66, 3), [10])
    info = json.loads((tmp_path / "d/meta/info.json").read_text())["features"][KEY]["info"]
    assert (info["video.codec"], info["video.pix_fmt"]) == ("h264", "yuv420p")


@pytest.mark.parametrize("dtype", ["video", "image"])
@pytest.mark.parametrize(
    ("channels", "info", "way_out"),
    [
        (1, {}, "declare it a depth map"),
        (2, {}, "cameras of their own"),
        (4, {}, "alpha"),
        (5, {}, "height, width, channels"),
        (3, {"is_depth_map": True}, "one channel"),
    ],
)
def test_channels_that_cannot_be_stored(
    tmp_path: Path, dtype: str, channels: int, info: dict[str, object], way_out: str
) -> None:
    declared = features((32, 32, channels), dtype, **info)
    with pytest.raises(FeatureMismatchError, match=KEY) as caught:
        DatasetRecorder.create(tmp_path / "d", 10, declared)
    assert way_out in str(caught.value)
    assert not (tmp_path / "d").exists()
    # A dataset of another writer that has such a camera is not gone on with either.
    with DatasetRecorder.create(tmp_path / "e", 10, {"x": {"dtype": "float32", "shape": (1,), "names": None}}):
        pass
    path = tmp_path / "e/meta/info.json"
    document = json.loads(path.read_text())
    document["features"] |= declared
    path.write_text(json.dumps(document | {"video_path": layout.VIDEO_PATH}))
    with pytest.raises(FeatureMismatchError, match=KEY):
        DatasetRecorder.resume(tmp_path / "e")


def test_numbers_that_readers_cannot_give_are_refused(tmp_path: Path) -> None:
    declared = {"x": {"dtype": "uint64", "shape": (1,), "names": None}}
    with DatasetRecorder.create(tmp_path / "d", 10, declared) as recorder:
        with pytest.raises(FeatureMismatchError, match="'x' is 9223372036854775808"):
            recorder.add_frame({"x": np.array([2**63], np.uint64)}, "t")
        recorder.add_frame({"x": np.array([2**63 - 1], np.uint64)}, "t")
        recorder.save_episode()
    (row,) = LeRobotDataset("a/b", tmp_path / "d").read_arrays([0])
    assert int(row["x"]) == 2**63 - 1
