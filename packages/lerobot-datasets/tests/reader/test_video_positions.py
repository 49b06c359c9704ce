"""Row k gets image k: rates, codecs, distances of key frames, and files that others wrote."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.video.decode import VideoFile
from lerobot.datasets.video.open_files import VideoFiles

CAMERA = "observation.images.cam"


def numbers(file: VideoFile, positions: list[int], number_of: Any) -> list[int]:
    images = file.read(positions)
    return [number_of(images[position]) for position in positions]


@pytest.mark.parametrize("rate", [10, 50, Fraction(25, 2), Fraction(2997, 100), Fraction(30000, 1001)])
@pytest.mark.parametrize(
    "options",
    [{"g": "2"}, {"g": "250", "bf": "3"}, {"g": "12", "bf": "2", "x264-params": "open-gop=1"}, {"g": "1"}],
    ids=["g2", "g250-b3", "open-gop", "intra"],
)
def test_every_position_shows_its_number(
    tmp_path: Path, make_video: Any, number_of: Any, rate: Fraction, options: dict[str, str]
) -> None:
    make_video(tmp_path / "v.mp4", range(70), rate, options=options)
    file = VideoFile(tmp_path / "v.mp4")
    assert len(file.table) == 70
    assert numbers(file, list(range(70)), number_of) == list(range(70))
    order = np.random.default_rng(0).permutation(70).tolist()
    assert [numbers(file, [position], number_of)[0] for position in order] == order


@pytest.mark.parametrize(("codec", "options"), [("libsvtav1", {"preset": "12"}), ("libx265", {"bf": "2"})])
def test_other_codecs(tmp_path: Path, make_video: Any, number_of: Any, codec: str, options: dict[str, str]) -> None:
    make_video(tmp_path / "v.mp4", range(30), codec=codec, options=options)
    file = VideoFile(tmp_path / "v.mp4")
    assert [numbers(file, [position], number_of)[0] for position in (29, 3, 4, 0, 17)] == [29, 3, 4, 0, 17]


def test_a_file_that_starts_late_and_one_cut_by_an_edit_list(tmp_path: Path, make_video: Any, number_of: Any) -> None:
    make_video(tmp_path / "late.mp4", range(20), 10, first_pts=7)
    assert numbers(VideoFile(tmp_path / "late.mp4"), [0, 19], number_of) == [0, 19]
    # A stream copy from the middle of a group: players hide the images before the cut by an edit list.
    make_video(tmp_path / "whole.mp4", range(40), 10, options={"g": "10", "bf": "0"})
    with av.open(str(tmp_path / "whole.mp4")) as source, av.open(str(tmp_path / "cut.mp4"), "w") as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        step = int(1 / (10 * video.time_base))
        for packet in source.demux(video):
            if packet.pts is not None and packet.pts >= 10 * step:
                packet.pts, packet.dts = packet.pts - 13 * step, packet.dts - 13 * step
                packet.stream = copy
                target.mux(packet)
    file = VideoFile(tmp_path / "cut.mp4")
    with av.open(str(tmp_path / "cut.mp4")) as container:
        shown = [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert len(file.table) == len(shown)
    for position in (len(shown) - 1, 0, 5):
        assert numbers(file, [position], number_of) == [shown[position]]


@pytest.mark.parametrize("fps", [29.97, 12.5, 50])
@pytest.mark.parametrize("per_file", [1, 3])
def test_rows_of_concatenated_episodes_at_odd_rates(
    tmp_path: Path, make_dataset: Any, number_of: Any, fps: float, per_file: int
) -> None:
    root = make_dataset(tmp_path / "d", [9, 4, 11, 6], fps=fps, per_file=per_file, video=True)
    dataset = LeRobotDataset("a/b", root)
    shown = [number_of(item[CAMERA]) for item in dataset.read_arrays(range(29, -1, -1))]
    assert shown == list(range(29, -1, -1))


def test_timestamps_are_data_and_never_choose_an_image(tmp_path: Path, make_dataset: Any, number_of: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = make_dataset(tmp_path / "d", [6], video=True)
    path = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    measured = pa.array(np.linspace(3, 4, 6).astype("f4"))
    pq.write_table(table.set_column(table.column_names.index("timestamp"), "timestamp", measured), path)
    item = LeRobotDataset("a/b", root).read_arrays([4])[0]
    assert number_of(item[CAMERA]) == 4
    assert item["timestamp"] == np.float32(3.8)


def test_a_video_with_fewer_images_than_rows_is_refused(tmp_path: Path, make_dataset: Any, make_video: Any) -> None:
    """A dropped image would shift all after it, and the last rows would show the next episode's."""
    root = make_dataset(tmp_path / "d", [6, 6], per_file=1, video=True)
    make_video(root / f"videos/{CAMERA}/chunk-000/file-000.mp4", [0, 1, 3, 4, 5])
    dataset = LeRobotDataset("a/b", root)
    with pytest.raises(DatasetError, match="5 images of episode 0, which has 6 rows") as caught:
        dataset.read_arrays([0])
    assert isinstance(caught.value, ValueError)
    assert dataset.read_arrays([7])[0]["index"] == 7


def test_a_faster_video_is_read_by_time_within_the_tolerance(
    tmp_path: Path, make_dataset: Any, make_video: Any, number_of: Any
) -> None:
    root = make_dataset(tmp_path / "d", [6], video=True, version="v2.1")
    path = root / f"videos/chunk-000/{CAMERA}/episode_000000.mp4"
    make_video(path, range(18), 30)
    items = LeRobotDataset("a/b", root).read_arrays(range(6))
    assert [number_of(item[CAMERA]) for item in items] == [0, 3, 6, 9, 12, 15]
    make_video(path, range(18), 27)
    with pytest.raises(DatasetError, match=r"shows no image at 0\.1000 s"):
        LeRobotDataset("a/b", root).read_arrays([1])
    items = LeRobotDataset("a/b", root, tolerance_s=0.02).read_arrays([1])
    assert number_of(items[0][CAMERA]) == 3


def test_open_files_are_bounded_and_indices_are_read_once(tmp_path: Path, make_video: Any) -> None:
    paths = [tmp_path / f"{number}.mp4" for number in range(6)]
    for path in paths:
        make_video(path, range(4))
    files = VideoFiles(size=2)
    tables = [files.get(path).table for path in paths]
    assert len(files) == 2
    assert all(files.table(path) is table for path, table in zip(paths, tables, strict=True))
    assert len(files) == 2
    assert files.get(paths[0]).read([3])[3].shape == (32, 192, 3)


def test_the_size_of_the_cache_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_VIDEO_DECODER_CACHE_SIZE", "many")
    with pytest.raises(DatasetError, match="LEROBOT_VIDEO_DECODER_CACHE_SIZE is 'many'"):
        VideoFiles()
