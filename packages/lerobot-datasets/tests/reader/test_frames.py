"""Items of `LeRobotDataset`: values, windows, subsets, batches, workers."""

import json
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.reader.windows import window_positions

CAMERA = "observation.images.cam"
LENGTHS = [5, 1, 7, 3]

Make = Callable[..., Path]


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return list(first) == list(second) and all(
        torch.equal(first[key], second[key]) if isinstance(first[key], torch.Tensor) else first[key] == second[key]
        for key in first
    )


@pytest.mark.parametrize("version", ["v3.0", "v2.1", "v2.0"])
def test_items_of_every_version(tmp_path: Path, make_dataset: Make, number_of: Any, version: str) -> None:
    dataset = LeRobotDataset("a/b", make_dataset(tmp_path / "d", LENGTHS, video=True, version=version))
    assert (len(dataset), dataset.num_episodes, dataset.fps) == (16, 4, 10)
    item = dataset[7]
    assert next(iter(item)) == CAMERA
    assert torch.equal(item["observation.state"], torch.tensor([7.0, -7.0]))
    assert item["action"].shape == ()
    assert item["action"].dtype == torch.float32
    assert item["index"].dtype == torch.int64
    assert (int(item["episode_index"]), int(item["frame_index"]), item["task"]) == (2, 1, "task 0")
    assert item["timestamp"] == torch.tensor(0.1)
    for index, frame in enumerate(dataset):
        assert number_of(frame[CAMERA].numpy()) == index
        assert frame[CAMERA].dtype == torch.float32
        assert 0 <= float(frame[CAMERA].min()) <= float(frame[CAMERA].max()) <= 1


def test_indices_count_from_either_end_and_slices_are_lists(tmp_path: Path, make_dataset: Make) -> None:
    dataset = LeRobotDataset("a/b", make_dataset(tmp_path / "d", LENGTHS))
    assert same(dataset[-1], dataset[15])
    assert [int(item["index"]) for item in dataset[3:12:4]] == [3, 7, 11]
    for index in (16, -17):
        with pytest.raises(IndexError, match="does not exist"):
            dataset[index]


def test_a_batch_equals_its_items_whatever_the_order(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    dataset = LeRobotDataset("a/b", root, delta_timestamps={CAMERA: [-0.1, 0.1], "action": [0.2, 0.0, -0.3]})
    order = [15, 0, 7, 7, 3, 14, 1]
    assert all(same(item, dataset[index]) for item, index in zip(dataset.__getitems__(order), order, strict=True))


def test_images_kept_in_memory_need_no_files_and_stay_behind_when_pickled(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    windows = {CAMERA: [-0.1, 0.0], "action": [0.0, 0.1]}
    decoded = list(LeRobotDataset("a/b", root, delta_timestamps=windows))
    dataset = LeRobotDataset("a/b", root, delta_timestamps=windows, in_memory=True)
    first = dataset.__getitems__([13, 2, 5, 7])
    dataset.reader.videos.close()
    for file in root.rglob("*.mp4"):
        file.unlink()
    assert all(same(item, decoded[index]) for item, index in zip(first, [13, 2, 5, 7], strict=True))
    assert all(same(item, decoded[index]) for index, item in enumerate(dataset)), "of whole episodes"
    with pytest.raises(DatasetError, match="missing"):
        pickle.loads(pickle.dumps(dataset))[0]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    offsets=st.lists(st.integers(-15, 15), min_size=1, max_size=6),
)
def test_windows_repeat_the_edge_frame_and_mark_it(lengths: list[int], offsets: list[int]) -> None:
    stops = np.cumsum(lengths)
    positions = np.arange(stops[-1])
    episodes = np.repeat(np.arange(len(lengths)), lengths)
    starts = (stops - lengths)[episodes]
    window = window_positions(positions, starts, stops[episodes], np.array(offsets))
    for position, episode in zip(positions.tolist(), episodes.tolist(), strict=True):
        frames = list(range(stops[episode] - lengths[episode], stops[episode]))
        expected = [min(max(position + offset, frames[0]), frames[-1]) for offset in offsets]
        assert window.positions[position].tolist() == expected
        assert window.is_pad[position].tolist() == [position + offset not in frames for offset in offsets]


def test_a_window_is_the_rows_it_names(tmp_path: Path, make_dataset: Make, number_of: Any) -> None:
    deltas = {"observation.state": [-0.2, 0.0, 0.1], "action": [0.1], CAMERA: [-0.1, 0.0], "index": [0.0]}
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    item = LeRobotDataset("a/b", root, delta_timestamps=deltas)[6]
    assert item["observation.state"][:, 0].tolist() == [6, 6, 7]
    assert item["observation.state_is_pad"].tolist() == [True, False, False]
    assert item["action"].tolist() == [7]
    assert item["index"].tolist() == [6]
    assert [number_of(image.numpy()) for image in item[CAMERA]] == [6, 6]
    assert item[f"{CAMERA}_is_pad"].tolist() == [True, False]


def test_episodes_are_read_in_file_order_with_their_own_indices(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS)
    whole = LeRobotDataset("a/b", root)
    part = LeRobotDataset("a/b", root, episodes=[3, 1, 3])
    assert (len(part), part.num_episodes) == (4, 2)
    assert [int(item["index"]) for item in part] == [5, 13, 14, 15]
    assert all(same(item, whole[int(item["index"])]) for item in part)
    assert part.absolute_to_relative_idx == {5: 0, 13: 1, 14: 2, 15: 3}
    assert whole.absolute_to_relative_idx is None
    filtered = LeRobotDataset("a/b", root, episode_filter=lambda row: row["length"] > 4)
    assert filtered.episodes == [0, 2]


def test_uint8_images_and_transforms_of_them(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", [3], video=True)
    raw = LeRobotDataset("a/b", root, return_uint8=True)[1][CAMERA]
    assert raw.dtype == torch.uint8
    torch.testing.assert_close(LeRobotDataset("a/b", root)[1][CAMERA], raw.float() / 255, rtol=0, atol=0)
    seen = []

    def invert(image: torch.Tensor) -> torch.Tensor:
        seen.append(image.dtype)
        return 255 - image

    dataset = LeRobotDataset("a/b", root, return_uint8=True, image_transforms=invert)
    assert torch.equal(dataset[1][CAMERA], 255 - raw)
    assert seen == [torch.uint8]
    dataset.clear_image_transforms()
    assert torch.equal(dataset[1][CAMERA], raw)
    with pytest.raises(TypeError):
        dataset.set_image_transforms("brighter")  # type: ignore[arg-type]


def test_hf_dataset_has_the_same_rows(tmp_path: Path, make_dataset: Make) -> None:
    dataset = LeRobotDataset("a/b", make_dataset(tmp_path / "d", LENGTHS), episodes=[1, 2])
    assert dataset.hf_dataset.num_rows == 8
    row = dataset.hf_dataset[3]
    item = dataset[3]
    assert all(torch.equal(row[key].to(item[key].dtype), item[key]) for key in row)
    assert dataset.select_columns("action").column_names == ["action"]


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_read_what_one_process_reads(tmp_path: Path, make_dataset: Make, start_method: str) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    dataset = LeRobotDataset("a/b", root, delta_timestamps={"action": [-0.1, 0.0]})
    expected = [dataset[index] for index in range(16)]
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=5, num_workers=2, multiprocessing_context=multiprocessing.get_context(start_method)
    )
    batches = list(loader)
    for key in ("index", "action", "action_is_pad", CAMERA):
        assert torch.equal(torch.cat([batch[key] for batch in batches]), torch.stack([item[key] for item in expected]))


def test_a_pickled_copy_reads_the_same(tmp_path: Path, make_dataset: Make) -> None:
    dataset = LeRobotDataset("a/b", make_dataset(tmp_path / "d", LENGTHS, video=True))
    expected = dataset[9]
    assert same(pickle.loads(pickle.dumps(dataset))[9], expected)


def test_arrays_need_no_torch_and_opening_needs_no_datasets_library(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    code = (
        "import sys; from lerobot.datasets.lerobot_dataset import LeRobotDataset; "
        f"dataset = LeRobotDataset('a/b', {str(root)!r}); item = dataset.read_arrays([4])[0]; "
        f"assert item['{CAMERA}'].shape == (32, 192, 3); "
        "print(sorted({'torch', 'datasets'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_what_does_not_exist_is_named(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", LENGTHS)
    with pytest.raises(DatasetError, match="no episode 4, 9"):
        LeRobotDataset("a/b", root, episodes=[1, 9, 4])
    with pytest.raises(FeatureMismatchError, match="'velocity', which is no feature"):
        LeRobotDataset("a/b", root, delta_timestamps={"velocity": [0.0]})
    with pytest.raises(ValueError, match="outside of tolerance range"):
        LeRobotDataset("a/b", root, delta_timestamps={"action": [0.0, 0.05]})
    LeRobotDataset("a/b", root, delta_timestamps={"action": [0.0, 0.05]}, tolerance_s=0.06)
    with pytest.raises(DatasetError, match="video_backend is 'opencv'"):
        LeRobotDataset("a/b", root, video_backend="opencv")


def test_an_empty_recording_opens_and_has_no_frames(tmp_path: Path, make_dataset: Make) -> None:
    root = make_dataset(tmp_path / "d", [2])
    info = json.loads((root / "meta/info.json").read_text()) | {"total_episodes": 0, "total_frames": 0}
    (root / "meta/info.json").write_text(json.dumps(info))
    dataset = LeRobotDataset("a/b", root)
    assert len(dataset) == 0
    with pytest.raises(IndexError):
        dataset[0]
