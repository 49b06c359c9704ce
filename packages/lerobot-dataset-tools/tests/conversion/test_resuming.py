"""Imports that were cut off: by a kill, by Ctrl-C, by an error; and sources that are not the same any more."""

import os
import select
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError

LENGTH = 12


def write(path, episodes=3, first=0.0, images=True):
    with h5py.File(path, "w") as file:
        for number in range(episodes):
            demo = file.create_group(f"data/demo_{number}")
            demo["actions"] = number + np.arange(LENGTH, dtype="f4")[:, None] + (first if number == 0 else 0)
            if images:
                shade = np.full((LENGTH, 32, 32, 3), number * 8 % 256, "u1")
                demo["obs/front_image"] = shade
    return path


def expected(episodes):
    return np.concatenate([number + np.arange(LENGTH, dtype="f4") for number in range(episodes)])


def started(path, root):
    code = "import sys; from lerobot.core.cli.app import main; sys.exit(main(['lerobot', *sys.argv[1:]]))"
    words = ["convert-dataset", "--from=robomimic", f"--from.path={path}", f"--root={root}", "--fps=10", "--task=t"]
    return subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_episodes(root, process, count):
    """Wait until so many episodes are in the folder, without counting on any speed."""
    while process.poll() is None and len(list(root.glob("meta/episodes/*/*.parquet"))) < count:
        time.sleep(0.005)


def test_killed_again_and_again_the_import_goes_on(tmp_path, kit):
    path, root = write(tmp_path / "demo.hdf5", 24), tmp_path / "set"
    rng, kills, last = np.random.default_rng(0), 0, 0
    while True:
        process = started(path, root)
        wait_for_episodes(root, process, last + int(rng.integers(3, 8)))
        select.select([], [], [], rng.uniform(0, 0.02))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        out, error = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, error
        if (root / "meta/info.json").exists() and (saved := kit.read_info(root)["total_episodes"]):
            assert saved >= last
            last = saved
            table = kit.read(root)
            np.testing.assert_array_equal(table.columns["action"].ravel()[: saved * LENGTH], expected(saved))
    assert kills >= 2
    assert b"24 episodes, 288 frames" in out
    np.testing.assert_array_equal(kit.read(root).columns["action"].ravel(), expected(24))
    shades = kit.images(root, "observation.images.front")[::LENGTH, 16, 16, 0].astype(int)
    assert np.abs(shades - np.arange(24) * 8).max() <= 4


def test_ctrl_c_says_what_is_saved_and_leaves_a_valid_dataset(tmp_path, kit):
    path, root = write(tmp_path / "demo.hdf5", 200), tmp_path / "set"
    process = started(path, root)
    wait_for_episodes(root, process, 2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 130, error
    assert b"Traceback" not in error
    saved = kit.read_info(root)["total_episodes"]
    assert f"{root}: {saved} episodes saved; the same command goes on with the next" in error.decode()
    assert not (root / ".recording").exists()
    assert 0 < saved < 200
    np.testing.assert_array_equal(kit.read(root).columns["action"].ravel(), expected(saved))


def test_a_finished_import_is_left_as_it_is(tmp_path, kit):
    path, root = write(tmp_path / "demo.hdf5", 3, images=False), tmp_path / "set"
    kit.convert("robomimic", path, root)
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert kit.convert("robomimic", path, root).resumed_at == 3
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before


def test_progress_begins_with_what_is_saved(tmp_path, kit):
    told = []
    path, root = write(tmp_path / "demo.hdf5", 2, images=False), tmp_path / "set"
    kit.convert("robomimic", path, root, report=lambda *counts: told.append(counts))
    assert told == [(0, 0), *((0, n) for n in range(1, 13)), (1, 12), *((1, n) for n in range(13, 25)), (2, 24)]
    told.clear()
    kit.convert("robomimic", path, root, report=lambda *counts: told.append(counts))
    assert told == [(2, 0)]


def test_a_source_that_grew_is_added_to(tmp_path, kit):
    root = tmp_path / "set"
    kit.convert("robomimic", write(tmp_path / "a.hdf5", 3, images=False), root)
    kit.convert("robomimic", write(tmp_path / "b.hdf5", 5, images=False), root)
    np.testing.assert_array_equal(kit.read(root).columns["action"].ravel(), expected(5))


@pytest.mark.parametrize(
    ("source", "options", "what"),
    [
        ({"first": 0.5}, {}, r"has another episode 0: action of frame 0 is 0.0, in the source \[0.5\]"),
        ({"episodes": 2}, {}, "has 3 episodes and the source 2"),
        ({}, {"task": "another"}, "has another episode 0: task of frame 0 is do it, in the source another"),
        ({}, {"skip_episodes": [0]}, "has 3 episodes and the source 2"),
        ({}, {"fps": 20}, "has 10 frames a second, not 20"),
    ],
)
def test_another_source_is_refused_and_nothing_changes(tmp_path, kit, source, options, what):
    root = tmp_path / "set"
    kit.convert("robomimic", write(tmp_path / "a.hdf5", 3, images=False), root)
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    path = write(tmp_path / "b.hdf5", **{"episodes": 3, "images": False, **source})
    with pytest.raises(DatasetError, match=what):
        kit.convert("robomimic", path, root, **options)
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before


def test_an_episode_of_another_length_is_another_source(tmp_path, kit):
    root = tmp_path / "set"
    for name, length in {"a": 4, "b": 5, "c": 3}.items():
        np.savez(tmp_path / f"{name}.npz", action=np.arange(length, dtype="f4"))
    kit.convert("npz", tmp_path / "a.npz", root)
    for name, what in {"b": "it has 4 frames, the source more", "c": "it has 4 frames, the source 3"}.items():
        with pytest.raises(DatasetError, match=what):
            kit.convert("npz", tmp_path / f"{name}.npz", root)


def test_another_mapping_is_refused(tmp_path, kit):
    path, root = write(tmp_path / "a.hdf5", 2), tmp_path / "set"
    kit.convert("robomimic", path, root, overrides={"obs/front_image": None})
    with pytest.raises(FeatureMismatchError, match=r"differs from .* in observation\.images\.front"):
        kit.convert("robomimic", path, root)
