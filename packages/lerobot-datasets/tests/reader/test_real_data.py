"""Real recordings of other people: each loads, or is refused with the reason."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.info import parse_info
from lerobot.datasets.lerobot_dataset import LeRobotDataset

DATA = Path(__file__).parents[5] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")


def load_golden(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a safetensors file: an 8-byte length, a JSON header, the data."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    data = raw[8 + size :]
    dtypes = {"F32": "<f4", "I64": "<i8", "BOOL": "?"}
    return {
        key: np.frombuffer(data[slice(*entry["data_offsets"])], dtypes[entry["dtype"]]).reshape(entry["shape"])
        for key, entry in json.loads(raw[8 : 8 + size]).items()
        if key != "__metadata__"
    }


@pytest.mark.parametrize(
    ("name", "version", "episodes", "frames", "task"),
    [
        ("cr5_v21_5ep", (2, 1), 5, 530, "grasp_cube"),
        ("cr5_v30_5ep_official", (3, 0), 5, 530, "grasp_cube"),
        ("rebot_b601_v30_1ep", (3, 0), 1, 871, "pick and place"),
        ("derived_from_v1_v21/aloha_sim_4ep", (2, 1), 4, 1700, "Insert the peg into the socket."),
        ("derived_from_v1_v30/aloha_sim_4ep", (3, 0), 4, 1700, "Insert the peg into the socket."),
        ("derived_from_v1_v21/pusht_1ep", (2, 1), 1, 161, "Push the T-shaped block onto the T-shaped target."),
        ("derived_from_v1_v30/pusht_1ep", (3, 0), 1, 161, "Push the T-shaped block onto the T-shaped target."),
        ("derived_from_v1_v21/xarm_lift_1ep", (2, 1), 1, 25, "Pick up the cube and lift it."),
        ("derived_from_v1_v30/xarm_lift_1ep", (3, 0), 1, 25, "Pick up the cube and lift it."),
    ],
)
def test_whole_datasets_load(name: str, version: tuple[int, int], episodes: int, frames: int, task: str) -> None:
    dataset = LeRobotDataset("a/b", DATA / name)
    assert (dataset.meta.info.version, dataset.num_episodes, len(dataset)) == (version, episodes, frames)
    for index, item in zip((0, frames - 1), dataset.read_arrays([0, frames - 1]), strict=True):
        assert item["index"] == index
        assert all(item[key].dtype == np.uint8 for key in dataset.meta.camera_keys)
    assert dataset[0]["task"] == task
    assert set(dataset.meta.stats) >= {"action", "observation.state"}
    rows = np.stack([item["action"] for item in dataset.read_arrays(range(frames), pictures=False)])
    np.testing.assert_allclose(dataset.meta.stats["action"]["mean"], rows.astype("f8").mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(dataset.meta.stats["action"]["count"], [frames])


@pytest.mark.parametrize("conversion", ["derived_from_v1_v21", "derived_from_v1_v30"])
@pytest.mark.parametrize(
    ("name", "golden", "rewards"),
    [
        ("aloha_sim_4ep", "aloha_sim_insertion_human", True),
        ("pusht_1ep", "pusht", False),
        ("xarm_lift_1ep", "xarm_lift_medium", True),
    ],
)
def test_frames_equal_the_published_ones(conversion: str, name: str, golden: str, rewards: bool) -> None:
    """Single frames that the peer's authors froze; the rewards of this copy of pusht are older, says SOURCES.md."""
    dataset = LeRobotDataset("a/b", DATA / conversion / name)
    for path in sorted((DATA / "golden/datasets/lerobot" / golden).glob("frame_*.safetensors")):
        index = int(path.stem.removeprefix("frame_"))
        for key, expected in load_golden(path).items():
            if key == "next.reward" and not rewards:
                continue
            found = dataset[index][key].numpy()
            assert found.dtype == expected.dtype
            if key in dataset.meta.camera_keys:
                # The published videos are encoded differently from these copies, so single pixels differ.
                assert np.abs(found - expected).mean() < 0.02, f"{key} of frame {index}"
            else:
                np.testing.assert_array_equal(found, expected, err_msg=f"{key} of frame {index}")


def test_a_dataset_without_its_video_reads_its_rows_only() -> None:
    dataset = LeRobotDataset("a/b", DATA / "pusht_v30_novideo")
    assert (dataset.num_episodes, len(dataset)) == (206, 25650)
    for path in sorted((DATA / "golden/datasets/lerobot/pusht").glob("frame_*.safetensors")):
        index = int(path.stem.removeprefix("frame_"))
        item = dataset.read_arrays([index], pictures=False)[0]
        for key, expected in load_golden(path).items():
            if key != "observation.image":
                np.testing.assert_array_equal(item[key], expected)
    with pytest.raises(DatasetError, match=r"file-000\.mp4 is missing"):
        dataset.read_arrays([0])


def metadata_files() -> list[Any]:
    paths = sorted((DATA / "meta_collection").glob("*/*info.json"))
    return [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in paths]


@pytest.mark.parametrize("path", metadata_files())
def test_metadata_of_others_is_understood_or_refused_for_a_reason(path: Path) -> None:
    document = json.loads(path.read_text())
    if "codebase_version" not in document:
        with pytest.raises(DatasetError, match=r"not the info\.json of a LeRobotDataset"):
            parse_info(document, path)
        return
    info = parse_info(document, path)
    assert info.fps == document["fps"]
    assert list(info.features) == list(document["features"])
    written = json.loads(info.to_json())
    assert {key: written[key] for key in document} == document | {
        "features": {key: {"names": None, **feature} for key, feature in document["features"].items()}
    }


def test_an_episodes_table_of_another_recorder_loads(tmp_path: Path) -> None:
    source = DATA / "meta_collection/oc_models_v30"
    (tmp_path / "meta/episodes/chunk-000").mkdir(parents=True)
    shutil.copy(source / "file-000.parquet", tmp_path / "meta/episodes/chunk-000/file-000.parquet")
    for name in ("info.json", "stats.json", "tasks.parquet"):
        shutil.copy(source / name, tmp_path / "meta" / name)
    dataset = LeRobotDataset("a/b", tmp_path)
    assert (dataset.num_episodes, len(dataset), len(dataset.meta.tasks)) == (50, 22449, 1)
    assert set(dataset.meta.stats["action"]) >= {"mean", "q99"}
    with pytest.raises(DatasetError, match="is missing, with the rows of 22449 frames"):
        dataset.read_arrays([0], pictures=False)
