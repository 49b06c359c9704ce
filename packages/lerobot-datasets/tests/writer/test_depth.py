"""Depth: as 12-bit codes in video, the format's law, and without loss as images."""

import io
import json

import av
import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.video.depth_codes import quantize_depth
from lerobot.datasets.video.encoder_config import DepthEncoderConfig
from lerobot.datasets.writer.recorder import DatasetRecorder

MILLIMETRES = np.array([[0, 10, 100, 500, 1000, 5000, 10000, 20000]], np.uint16)


def features(dtype):
    camera = {"shape": (48, 64, 1), "names": ["height", "width", "channels"], "info": {"is_depth_map": True}}
    return {"depth": {"dtype": dtype, **camera}}


def image(dtype, seed=0):
    metres = np.random.default_rng(seed).uniform(0.3, 3, (48, 64, 1))
    return metres.astype(np.float32) if dtype == np.float32 else (metres * 1000).astype(np.uint16)


@pytest.mark.parametrize(
    ("use_log", "codes"),
    [(True, [0, 0, 77, 397, 755, 2689, 4095, 4095]), (False, [0, 0, 37, 201, 406, 2045, 4095, 4095])],
)
def test_the_format_s_codes(use_log, codes):
    assert quantize_depth(MILLIMETRES, DepthEncoderConfig(use_log=use_log)).tolist() == [codes]


def test_depth_below_the_logarithm_s_domain_gets_the_smallest_code():
    config = DepthEncoderConfig(depth_min=2.0, shift=-1.5)
    assert quantize_depth(np.array([[0.0, 1.0, 2.0, 10.0]], np.float32), config).tolist() == [[0, 0, 0, 4095]]


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint16, "mm"), (np.float32, "m")])
def test_depth_video_keeps_every_code(tmp_path, dtype, unit):
    root = tmp_path / "set"
    with DatasetRecorder.create(root, 30, features("video")) as recorder:
        for seed in range(5):
            recorder.add_frame({"depth": image(dtype, seed)}, "t")
        recorder.save_episode()
    with av.open(str(root / "videos/depth/chunk-000/file-000.mp4")) as container:
        found = [frame.to_ndarray(format="gray12le") for frame in container.decode(video=0)]
    expected = [quantize_depth(image(dtype, seed)[..., 0], DepthEncoderConfig()) for seed in range(5)]
    np.testing.assert_array_equal(found, expected)
    info = json.loads((root / "meta/info.json").read_text())["features"]["depth"]["info"]
    assert info["depth_unit"] == unit
    assert info["is_depth_map"] is True
    assert (info["video.codec"], info["video.pix_fmt"], info["video.depth_max"]) == ("hevc", "gray12le", 10.0)
    stats = json.loads((root / "meta/stats.json").read_text())["depth"]
    assert np.shape(stats["mean"]) == (1, 1, 1)
    assert np.ravel(stats["max"])[0] == max(image(dtype, seed).max() for seed in range(5))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_depth_images_keep_every_bit(tmp_path, dtype):
    root = tmp_path / "set"
    with DatasetRecorder.create(root, 30, features("image")) as recorder:
        for seed in range(3):
            recorder.add_frame({"depth": image(dtype, seed)}, "t")
        recorder.save_episode()
    stored = [row["bytes"] for row in pq.read_table(root / "data").column("depth").to_pylist()]
    for seed, data in enumerate(stored):
        np.testing.assert_array_equal(np.asarray(PIL.Image.open(io.BytesIO(data))), image(dtype, seed)[..., 0])


def test_the_unit_cannot_change(tmp_path):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, features("video"))
    recorder.add_frame({"depth": image(np.uint16)}, "t")
    with pytest.raises(FeatureMismatchError, match="mm"):
        recorder.add_frame({"depth": image(np.float32)}, "t")
    recorder.save_episode()
    with pytest.raises(FeatureMismatchError, match="mm"):
        recorder.add_frame({"depth": image(np.float32)}, "t")
    recorder.finalize()
    with DatasetRecorder.resume(tmp_path / "set") as again, pytest.raises(FeatureMismatchError, match="mm"):
        again.add_frame({"depth": image(np.float32)}, "t")
