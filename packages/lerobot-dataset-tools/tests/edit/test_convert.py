"""v2.x datasets as v3.0 files: frame by frame what the official conversion gives, where there is one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.convert import convert_dataset
from lerobot.dataset_tools.edit.selection import delete_episodes, merge
from lerobot.dataset_tools.edit.swap import undo
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.info import load_info

DATA = Path(__file__).parents[4].parent / "shared/data"
PAIRS = {
    "cr5_v21_5ep": "cr5_v30_5ep_official",
    **{
        f"derived_from_v1_v21/{name}": f"derived_from_v1_v30/{name}"
        for name in ("aloha_sim_4ep", "pusht_1ep", "xarm_lift_1ep")
    },
}


def real(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return DATA / name


@pytest.mark.parametrize("name", PAIRS)
def test_every_frame_equals_that_of_the_official_conversion(name, tmp_path):
    ours = FrameDataset(LeRobotDatasetMetadata("a/b", convert_dataset(real(name), tmp_path / "new").root))
    theirs = FrameDataset(LeRobotDatasetMetadata("a/b", real(PAIRS[name])))
    assert (len(ours), ours.num_episodes) == (len(theirs), theirs.num_episodes)
    frames = range(len(ours))
    pairs = zip(ours.read_arrays(frames, pictures=False), theirs.read_arrays(frames, pictures=False), strict=True)
    for found, expected in pairs:
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(found[key], value, err_msg=key)
    some = [*ours.meta.episodes["dataset_from_index"], *(stop - 1 for stop in ours.meta.episodes["dataset_to_index"])]
    for found, expected in zip(ours.read_arrays(some), theirs.read_arrays(some), strict=True):
        for key in ours.meta.camera_keys:
            np.testing.assert_array_equal(found[key], expected[key])
    for key in ours.meta.camera_keys:
        for entry in ("mean", "std", "min", "max"):
            np.testing.assert_allclose(ours.meta.stats[key][entry], theirs.meta.stats[key][entry], rtol=1e-6, atol=1e-9)
    declared, official = (json.loads((d.root / "meta/info.json").read_text()) for d in (ours, theirs))
    assert declared["features"] == official["features"]
    assert {key: declared[key] for key in official if key != "splits"} == {
        key: value for key, value in official.items() if key != "splits"
    }


def test_numeric_statistics_are_those_of_the_values(tmp_path, statistics_are_exact):
    statistics_are_exact(convert_dataset(real("cr5_v21_5ep"), tmp_path / "new").root)


def test_in_place_and_back(tmp_path):
    root = Path(shutil.copytree(real("cr5_v21_5ep"), tmp_path / "set"))
    convert_dataset(root)
    assert load_info(root).version == (3, 0)
    with pytest.raises(DatasetError, match="already"):
        convert_dataset(root)
    undo(root)
    assert load_info(root).version == (2, 1)


def test_v2_0_gets_the_statistics_it_never_had(tmp_path):
    root = Path(shutil.copytree(real("cr5_v21_5ep"), tmp_path / "set"))
    (root / "meta/episodes_stats.jsonl").unlink()
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v2.0"}))
    stats = LeRobotDatasetMetadata("a/b", convert_dataset(root, tmp_path / "new").root).stats
    official = LeRobotDatasetMetadata("a/b", real("cr5_v30_5ep_official")).stats
    # The official ones were computed from the images before they were encoded.
    np.testing.assert_allclose(
        stats["observation.images.top"]["mean"], official["observation.images.top"]["mean"], atol=0.01
    )
    np.testing.assert_allclose(stats["action"]["mean"], official["action"]["mean"], atol=1e-6)


def test_small_files_where_asked(tmp_path):
    new = convert_dataset(real("cr5_v21_5ep"), tmp_path / "new", video_files_size_in_mb=2).root
    assert len(list((new / "videos").rglob("*.mp4"))) > 1
    assert len(list((new / "data").rglob("*.parquet"))) == 1


def test_an_old_dataset_is_edited_without_converting_it_first(tmp_path, hashes):
    root = Path(shutil.copytree(real("cr5_v21_5ep"), tmp_path / "set"))
    before, lengths = hashes(root), LeRobotDatasetMetadata("a/b", root).episodes["length"]
    delete_episodes(root, [0, 1])
    assert load_info(root).version == (3, 0)
    assert hashes(root) == before[sum(lengths[:2]) :]
    merged = merge([root, real("cr5_v21_5ep")], tmp_path / "merged").root
    assert hashes(merged) == before[sum(lengths[:2]) :] + before


def test_a_missing_episode_file_is_named(tmp_path):
    root = Path(shutil.copytree(real("cr5_v21_5ep"), tmp_path / "set"))
    (root / "data/chunk-000/episode_000003.parquet").unlink()
    with pytest.raises(DatasetError, match=r"episode_000003\.parquet is missing"):
        convert_dataset(root)
    assert load_info(root).version == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
