"""Flat D4RL arrays written by h5py; episodes end as D4RL's documentation says."""

import h5py
import numpy as np
import pytest

from lerobot.core.errors import DatasetError


def write(path, ends=(3, 7), timeouts=(5,), length=9, **more):
    """`ends` and `timeouts` are the last steps that terminals and timeouts mark."""
    step = np.arange(length, dtype="f4")
    arrays = {
        "observations": np.stack([step, step**2], 1),
        "actions": -step[:, None],
        "rewards": step / 2,
        "terminals": np.isin(step, ends),
        "timeouts": None if timeouts is None else np.isin(step, timeouts),
        "infos/qpos": np.zeros((length, 3)),
        "metadata/algorithm": np.bytes_("SAC"),
    }
    with h5py.File(path, "w") as file:
        for key, value in (arrays | more).items():
            if value is not None:
                file[key] = value
    return path


def test_terminals_and_timeouts_cut_the_arrays(tmp_path, kit):
    kit.convert("d4rl", write(tmp_path / "hopper.hdf5"), tmp_path / "set")
    found = kit.read(tmp_path / "set")
    assert found.lengths == [4, 2, 2, 1]
    step = np.arange(9, dtype="f4")
    np.testing.assert_array_equal(found.columns["observation.state"], np.stack([step, step**2], 1))
    np.testing.assert_array_equal(found.columns["action"].ravel(), -step)
    np.testing.assert_array_equal(found.columns["next.reward"], step / 2)
    np.testing.assert_array_equal(np.flatnonzero(found.columns["next.done"]), [3, 7])
    assert not any("infos" in key or "qpos" in key for key in found.features)


def test_a_file_without_timeouts_needs_the_longest_episode(tmp_path, kit):
    path = write(tmp_path / "old.hdf5", timeouts=None)
    with pytest.raises(DatasetError, match=r"lacks timeouts.*\n  expected: --from.max_episode_steps"):
        kit.convert("d4rl", path, tmp_path / "set")
    kit.convert("d4rl", path, tmp_path / "set", source_options={"max_episode_steps": 3})
    assert kit.read(tmp_path / "set").lengths == [3, 1, 3, 1, 1]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"actions": None}, "lacks actions"),
        ({"terminals": np.zeros(4, bool)}, r"terminals has 4 rows\n  expected: 9"),
        ({"rewards": np.zeros(8)}, r"rewards has 8 rows\n  expected: 9"),
    ],
)
def test_missing_and_ragged_arrays(tmp_path, kit, more, what):
    with pytest.raises(DatasetError, match=what):
        kit.convert("d4rl", write(tmp_path / "bad.hdf5", **more), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_an_empty_file(tmp_path, kit):
    with pytest.raises(DatasetError, match="episodes end at"):
        kit.convert("d4rl", write(tmp_path / "empty.hdf5", length=0), tmp_path / "set")
