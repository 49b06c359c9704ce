"""torchcodec gives the images PyAV gives, and where it does not work PyAV takes over, saying what is missing."""

import importlib.util
import logging
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video import backend
from lerobot.datasets.video.decode import VideoFile
from lerobot.datasets.video.open_files import VideoFiles

DATA = Path(__file__).parents[4].parent / "shared/data"


@pytest.fixture
def torchcodec_file() -> Any:
    if (trouble := backend._torchcodec_trouble()) is not None:
        pytest.skip(f"torchcodec {trouble}")
    from lerobot.datasets.video.torchcodec_file import TorchcodecFile

    return TorchcodecFile


@pytest.fixture
def without_memory() -> Any:
    """Forget what was found out about torchcodec, before and after."""
    for cached in (backend._torchcodec_trouble, backend._say_once):
        cached.cache_clear()
    yield
    for cached in (backend._torchcodec_trouble, backend._say_once):
        cached.cache_clear()


def assert_equal(fast: VideoFile, slow: VideoFile, *, uses_torchcodec: bool | None = None) -> None:
    """Every image, one by one at random and all at once."""
    count = len(slow.table)
    assert len(fast.table) == count
    for position in np.random.default_rng(0).permutation(count).tolist():
        np.testing.assert_array_equal(fast.read([position])[position], slow.read([position])[position])
    expected = slow.read(range(count))
    for position, image in fast.read(range(count)).items():
        np.testing.assert_array_equal(image, expected[position])
    if uses_torchcodec is not None:
        assert (fast._decoder is not None) is uses_torchcodec


@pytest.mark.parametrize("rate", [10, 50, Fraction(25, 2), Fraction(2997, 100), Fraction(30000, 1001)])
@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"g": "2"}),
        ("libx264", {"g": "250", "bf": "3"}),
        ("libx264", {"g": "12", "bf": "2", "x264-params": "open-gop=1"}),
        ("libsvtav1", {"preset": "12"}),
        ("libx265", {"bf": "2", "x265-params": "log-level=error"}),
    ],
    ids=["h264", "h264-b3", "open-gop", "av1", "hevc"],
)
def test_the_same_images(
    tmp_path: Path, make_video: Any, torchcodec_file: Any, rate: Fraction, codec: str, options: dict[str, str]
) -> None:
    make_video(tmp_path / "v.mp4", range(25), rate, codec=codec, options=options)
    assert_equal(torchcodec_file(tmp_path / "v.mp4"), VideoFile(tmp_path / "v.mp4"))


def test_a_usual_file_is_decoded_by_torchcodec(tmp_path: Path, make_video: Any, torchcodec_file: Any) -> None:
    make_video(tmp_path / "v.mp4", range(25), 30)
    assert_equal(torchcodec_file(tmp_path / "v.mp4"), VideoFile(tmp_path / "v.mp4"), uses_torchcodec=True)


def test_an_uneven_file_is_left_to_pyav(tmp_path: Path, make_video: Any, torchcodec_file: Any) -> None:
    """Its numbers of images are not those of the average rate, so only the table of its images is right."""
    make_video(tmp_path / "even.mp4", range(20), 10)
    with av.open(str(tmp_path / "even.mp4")) as source, av.open(str(tmp_path / "uneven.mp4"), "w") as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.pts is not None:
                late = packet.pts if packet.pts < 10 * packet.duration else packet.pts * 3
                packet.pts, packet.dts, packet.stream = late, late, copy
                target.mux(packet)
    assert_equal(torchcodec_file(tmp_path / "uneven.mp4"), VideoFile(tmp_path / "uneven.mp4"), uses_torchcodec=False)


def test_a_position_outside_is_the_same_error(tmp_path: Path, make_video: Any, torchcodec_file: Any) -> None:
    make_video(tmp_path / "v.mp4", range(5))
    with pytest.raises(DatasetError, match="has no image 5"):
        torchcodec_file(tmp_path / "v.mp4").read([5])


@pytest.mark.parametrize("name", ["cr5_v30_5ep_official", "rebot_b601_v30_1ep"])
def test_real_recordings(name: str, torchcodec_file: Any) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    fast, slow = (LeRobotDataset("a/b", DATA / name, video_backend=name_) for name_ in ("torchcodec", "pyav"))
    chosen = range(0, len(slow), 97)
    for one, other in zip(fast.read_arrays(chosen), slow.read_arrays(chosen), strict=True):
        for key in slow.meta.video_keys:
            np.testing.assert_array_equal(one[key], other[key])


def test_without_torchcodec_pyav_decodes_and_one_line_says_so(
    tmp_path: Path,
    make_dataset: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    without_memory: None,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchcodec" else find(name))
    root = make_dataset(tmp_path / "d", [4], video=True)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            LeRobotDataset("a/b", root).read_arrays([0, 3])
    (line,) = [record.message for record in caplog.records if "torchcodec" in record.message]
    assert "is not installed" in line
    assert "lerobot-datasets[torchcodec]" in line
    with pytest.raises(DatasetError, match="which is not installed"):
        LeRobotDataset("a/b", root, video_backend="torchcodec")


def test_a_torchcodec_that_does_not_load_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, without_memory: None
) -> None:
    (tmp_path / "torchcodec").mkdir()
    (tmp_path / "torchcodec/__init__.py").touch()
    (tmp_path / "torchcodec/decoders.py").write_text('raise RuntimeError("\\nCould not load libtorchcodec.\\nA page.")')
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("torchcodec", "torchcodec.decoders"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with caplog.at_level(logging.INFO):
        assert backend.choose_backend(None) == "pyav"
    assert "does not load: Could not load libtorchcodec. (" in caplog.text
    assert "A page" not in caplog.text


@pytest.mark.parametrize("name", ["pyav", "video_reader"])
def test_pyav_by_name(name: str) -> None:
    assert backend.choose_backend(name) == "pyav"


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(DatasetError, match="video_backend is 'opencv'"):
        backend.choose_backend("opencv")


def test_depth_stays_with_pyav(tmp_path: Path, make_video: Any, torchcodec_file: Any) -> None:
    make_video(tmp_path / "v.mp4", range(3))
    files = VideoFiles(backend="torchcodec")
    assert type(files.get(tmp_path / "v.mp4", is_depth=True)) is VideoFile
