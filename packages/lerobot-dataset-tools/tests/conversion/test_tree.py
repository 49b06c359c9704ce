"""HDF5, zarr and npz files that follow no convention, imported by a mapping."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError

h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
MAP = {"/arm/cmd": "action", "arm/qpos": "observation.state", "cam/0/rgb": "observation.images.top", "note": "task"}


def arrays(seed: int, rows: int = 6) -> dict[str, Any]:
    """What one episode holds: one observation more than actions, an instruction, and one array about something else."""
    rng = np.random.default_rng(seed)
    return {
        "arm/cmd": rng.normal(size=(rows, 2)).astype(np.float32),
        "arm/qpos": rng.normal(size=(rows + 1, 3)).astype(np.float32),
        "cam/0/rgb": rng.integers(0, 256, (rows + 1, 8, 10, 3), dtype=np.uint8),
        "calibration": np.arange(4, dtype=np.float32),
    }


def write_hdf5(path: Path, episodes: dict[str, int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, seed in episodes.items():
            group = file.require_group(name) if name else file
            for key, values in arrays(seed).items():
                group[key] = values
            group["note"] = f"lift cube {seed}"
            group.attrs["operator"] = f"person {seed}"
    return path


def check(result: Any, seeds: list[int]) -> None:
    """The dataset holds the first rows of what was written, with nothing shifted."""
    written = [arrays(seed) for seed in seeds]
    assert result.lengths == [6] * len(seeds)
    for key, field in (
        ("action", "arm/cmd"),
        ("observation.state", "arm/qpos"),
        ("observation.images.top", "cam/0/rgb"),
    ):
        assert np.array_equal(result.columns[key], np.concatenate([each[field][:6] for each in written]))


@pytest.mark.parametrize("names", [("demo_0", "demo_1", "demo_10"), ("data/demo_0", "data/demo_1", "data/demo_2")])
def test_groups_of_the_same_arrays_are_episodes(kit: Any, tmp_path: Path, names: tuple[str, ...]) -> None:
    file = write_hdf5(tmp_path / "all.h5", {name: seed for seed, name in enumerate(names)})
    kit.convert("hdf5", file, tmp_path / "out", source_options={"trim": 1}, overrides=MAP, task=None)
    result = kit.read(tmp_path / "out")
    check(result, [0, 1, 2])
    assert result.tasks == [f"lift cube {seed}" for seed in range(3) for _ in range(6)]


def test_files_in_folders_are_episodes_and_folders_may_be_tasks(kit: Any, tmp_path: Path) -> None:
    for seed, name in enumerate(("open_door/e1.hdf5", "open_door/e2.hdf5", "push_red_cube/e1.h5")):
        write_hdf5(tmp_path / "raw" / name, {"": seed})
    overrides = {**{key: value for key, value in MAP.items() if key != "note"}, "@folder": "task"}
    kit.convert("hdf5", tmp_path / "raw", tmp_path / "out", source_options={"trim": 1}, overrides=overrides, task=None)
    result = kit.read(tmp_path / "out")
    check(result, [0, 1, 2])
    assert result.tasks == [*["open door"] * 12, *["push red cube"] * 6]


def test_an_attribute_may_be_the_instruction(kit: Any, tmp_path: Path) -> None:
    file = write_hdf5(tmp_path / "one.hdf5", {"": 4})
    overrides = {"arm/cmd": "action", "@operator": "task"}
    kit.convert("hdf5", file, tmp_path / "out", source_options={"trim": 1}, overrides=overrides, task=None)
    assert set(kit.read(tmp_path / "out").tasks) == {"person 4"}


@pytest.mark.parametrize("options", [{}, {"trim": 1}])
def test_other_lengths_are_refused(kit: Any, tmp_path: Path, options: dict[str, int]) -> None:
    """Without `trim` an observation too many is no less a fault than an array about something else."""
    file = write_hdf5(tmp_path / "one.hdf5", {"": 0})
    overrides = {"arm/cmd": "action", ("calibration" if options else "arm/qpos"): "observation.state"}
    with pytest.raises(DatasetError, match="rows"):
        kit.convert("hdf5", file, tmp_path / "out", source_options=options, overrides=overrides)


def test_without_a_map_the_tree_and_a_proposal_are_shown_and_the_proposal_works(kit: Any, tmp_path: Path) -> None:
    file = write_hdf5(tmp_path / "one.hdf5", {"": 0})
    with pytest.raises(FeatureMismatchError) as refused:
        kit.convert("hdf5", file, tmp_path / "out", source_options={"trim": 1})
    assert "cam/0/rgb  uint8 (8, 10, 3)" in str(refused.value)
    proposal = "--map=\"{'arm/cmd': action, 'arm/qpos': observation.state, 'cam/0/rgb': observation.images.camera_0}\""
    assert proposal in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_zarr_is_read_alike(kit: Any, tmp_path: Path) -> None:
    root = zarr.open_group(str(tmp_path / "all.zarr"), mode="w")
    for seed in range(2):
        for key, values in arrays(seed).items():
            root.create_array(f"episode_{seed}/{key}", data=values)
        root[f"episode_{seed}"].attrs["note"] = f"lift cube {seed}"
    overrides = {**{key: value for key, value in MAP.items() if key != "note"}, "@note": "task"}
    kit.convert(
        "zarr", tmp_path / "all.zarr", tmp_path / "out", source_options={"trim": 1}, overrides=overrides, task=None
    )
    check(kit.read(tmp_path / "out"), [0, 1])


def test_npz_is_read_alike(kit: Any, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for seed in range(2):
        np.savez(tmp_path / f"raw/{seed}.npz", **arrays(seed))
    overrides = {**{key: value for key, value in MAP.items() if key != "note"}, "calibration": None}
    kit.convert("npz", tmp_path / "raw", tmp_path / "out", source_options={"trim": 1}, overrides=overrides)
    check(kit.read(tmp_path / "out"), [0, 1])


def test_a_group_can_be_named(kit: Any, tmp_path: Path) -> None:
    file = write_hdf5(tmp_path / "all.h5", {"runs/monday": 0, "runs/tuesday": 1})
    with pytest.raises(DatasetError, match="has no group 'rums'"):
        kit.open_source("hdf5", file, group="rums")
    options = {"trim": 1, "group": "/runs"}
    kit.convert("hdf5", file, tmp_path / "out", source_options=options, overrides=MAP, task=None)
    check(kit.read(tmp_path / "out"), [0, 1])


def test_a_real_file(kit: Any, shared: Path) -> None:
    demo_file = shared / "cartpendulum_hdf5/demo.hdf5"
    with h5py.File(demo_file) as file:
        demo = file["demo_10"]
        found = {name: demo[name][()] for name in demo if hasattr(demo[name], "shape")}
    source = kit.open_source("hdf5", demo_file)
    try:
        assert len(source.episodes) == 100
        assert source.episodes[10].endswith("demo_10")
        frames = list(source.frames(10, {field.name for field in source.fields}))
    finally:
        source.close()
    for name, values in found.items():
        assert np.array_equal(np.stack([frame[name] for frame in frames]), values)


def test_damaged_files_are_refused(kit: Any, tmp_path: Path) -> None:
    file = write_hdf5(tmp_path / "all.h5", {"demo_0": 0, "demo_1": 1})
    kit.flip_and_read("hdf5", file, file, 60)
    file.write_bytes(b"no HDF5")
    with pytest.raises(DatasetError, match="cannot be read"):
        kit.open_source("hdf5", file)
    with pytest.raises(DatasetError, match="holds no file"):
        kit.open_source("zarr", tmp_path)
