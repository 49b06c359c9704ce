"""Archives written by numpy itself."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lerobot.core.errors import DatasetError, LeRobotError


def test_one_file_per_episode(tmp_path, kit):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    values = []
    for number, length in ((2, 3), (11, 4)):
        arrays = {
            "action": rng.normal(size=(length, 2)).astype("f4"),
            "qpos": rng.normal(size=(length, 3)).astype("f4"),
            "front": rng.integers(0, 256, (length, 3, 8, 10), "u1"),
            "rewards": rng.normal(size=length).astype("f4"),
            "observation.wrench": rng.normal(size=(length, 6)).astype("f4"),
        }
        np.savez(tmp_path / f"in/episode_{number}.npz", **arrays, task=f"task {number}", fps=25)
        values.append(arrays)
    kit.convert("npz", tmp_path / "in", tmp_path / "set", fps=None, task=None)
    found = kit.read(tmp_path / "set")
    assert found.info["fps"] == 25
    assert found.lengths == [3, 4]
    assert found.tasks == ["task 2"] * 3 + ["task 11"] * 4
    targets = {"action": "action", "qpos": "observation.state", "rewards": "next.reward"}
    for key, target in (targets | {"observation.wrench": "observation.wrench"}).items():
        np.testing.assert_array_equal(found.columns[target], np.concatenate([v[key] for v in values]), err_msg=key)
    images = np.concatenate([v["front"] for v in values]).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(found.columns["observation.images.front"], images)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_flat_arrays(tmp_path, kit, save):
    actions = np.random.default_rng(0).normal(size=(9, 2))
    state = np.asfortranarray(np.random.default_rng(1).normal(size=(9, 3)))
    notes = np.array([f"note {i}" for i in range(9)])
    save(tmp_path / "all.npz", actions=actions, state=state, note=notes, episode_ends=[2, 9], language=notes)
    kit.convert(
        "npz", tmp_path / "all.npz", tmp_path / "set", float_type="source", overrides={"note": "note"}, task=None
    )
    found = kit.read(tmp_path / "set")
    assert found.lengths == [2, 7]
    np.testing.assert_array_equal(found.columns["action"], actions)
    np.testing.assert_array_equal(found.columns["observation.state"], state)
    assert found.columns["note"] == found.tasks == notes.tolist()


TYPES = ["f2", "f4", "f8", ">f4", "i1", "i8", ">i2", "u1", "u2", "u8", "?"]
# Numbers that every float type holds, and those of unsigned ones that a dataset's int64 does.
FLOATS = {"min_value": -(2**14), "max_value": 2**14}
ELEMENTS = {"f2": FLOATS, "f4": FLOATS, "f8": FLOATS, "u8": {"max_value": 2**63 - 1}}


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    arrays=st.integers(1, 12).flatmap(
        lambda n: st.fixed_dictionaries(
            {
                name: st.sampled_from(TYPES).flatmap(
                    lambda dtype: npst.arrays(
                        dtype,
                        st.lists(st.integers(1, 3), max_size=2).map(lambda shape: (n, *shape)),
                        elements=ELEMENTS.get(dtype.lstrip(">")),
                    )
                )
                for name in ("one", "two")
            }
        )
    ),
    data=st.data(),
)
def test_every_value_survives(tmp_path_factory, kit, arrays, data):
    folder: Path = tmp_path_factory.mktemp("npz")
    length = len(arrays["one"])
    ends = sorted(data.draw(st.sets(st.integers(1, length), min_size=1)))
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    save(folder / "all.npz", **arrays, episode_ends=ends)
    overrides = {"one": "observation.one", "two": "action.two"}
    kit.convert("npz", folder / "all.npz", folder / "set", float_type="source", overrides=overrides)
    found = kit.read(folder / "set")
    assert found.lengths == np.diff([0, *ends]).tolist()
    for name, key in overrides.items():
        expected = arrays[name][: ends[-1]]
        assert found.columns[key].dtype == expected.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found.columns[key].reshape(expected.shape), expected)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the archive was unpickled",))


def test_pickled_objects_are_never_unpickled(tmp_path, kit):
    bomb = np.empty(3, object)
    bomb[:] = [Bomb()] * 3
    np.savez(tmp_path / "bomb.npz", action=np.zeros((3, 1), "f4"), info=bomb)
    with pytest.raises(
        LeRobotError, match=r"'info' holds object values, which cannot be imported(.|\n)*--map.info=null"
    ):
        kit.convert("npz", tmp_path / "bomb.npz", tmp_path / "set")
    kit.convert("npz", tmp_path / "bomb.npz", tmp_path / "set", overrides={"info": None})
    assert kit.read(tmp_path / "set").lengths == [3]
    for name in ("fps", "episode_ends"):
        np.savez(tmp_path / "bomb.npz", action=np.zeros((3, 1), "f4"), **{name: bomb})
        with pytest.raises(DatasetError, match="never unpickled"):
            kit.convert("npz", tmp_path / "bomb.npz", tmp_path / "other")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def of_another_kind(path):
    path.write_bytes(pickle.dumps({"action": 1}))


def altered(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"\x93NUMPY") + 200] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "what"),
    [(truncated, "cannot be read"), (of_another_kind, "cannot be read"), (altered, "Bad CRC-32")],
)
def test_a_damaged_archive(tmp_path, kit, damage, what):
    np.savez(tmp_path / "a.npz", action=np.zeros((50, 1)))
    damage(tmp_path / "a.npz")
    with pytest.raises(DatasetError, match=what):
        kit.convert("npz", tmp_path / "a.npz", tmp_path / "set")


def test_ragged_arrays(tmp_path, kit):
    np.savez(tmp_path / "a.npz", action=np.zeros((5, 1)), qpos=np.zeros((4, 1)))
    with pytest.raises(DatasetError, match=r"qpos has 4 rows\n  expected: 5"):
        kit.convert("npz", tmp_path / "a.npz", tmp_path / "set")


def test_nothing_to_import(tmp_path, kit):
    np.savez(tmp_path / "a.npz", note=np.array(["a", "b"]))
    with pytest.raises(
        LeRobotError,
        match=r"no field of the source becomes a feature; each frame holds\n  note  text\n  expected: --map",
    ):
        kit.convert("npz", tmp_path / "a.npz", tmp_path / "set")


def test_flipped_bytes_are_refused_or_harmless(tmp_path, kit):
    state = np.asfortranarray(np.ones((50, 3)))
    np.savez_compressed(tmp_path / "a.npz", action=np.zeros((50, 2)), qpos=state, task="t", episode_ends=[10, 50])
    kit.flip_and_read("npz", tmp_path / "a.npz", tmp_path / "a.npz", 100)


@pytest.mark.parametrize("fps", [0, -3.5, np.inf, "fast", [10, 20]])
def test_a_rate_that_cannot_be(tmp_path, kit, fps):
    np.savez(tmp_path / "a.npz", action=np.zeros((3, 1)), fps=fps)
    with pytest.raises(DatasetError, match=r"a second has .* frames\n  expected: --fps"):
        kit.convert("npz", tmp_path / "a.npz", tmp_path / "set", fps=None)
    kit.convert("npz", tmp_path / "a.npz", tmp_path / "set")


def test_only_some_files_of_a_folder(tmp_path, kit):
    for number in range(12):
        np.savez(tmp_path / f"{number}.npz", action=np.full((2, 1), number, np.float32))
    kit.convert("npz", tmp_path, tmp_path / "set", source_options={"files": ["10.npz", "2.npz"]})
    assert kit.read(tmp_path / "set").columns["action"].ravel().tolist() == [10, 10, 2, 2]
    with pytest.raises(DatasetError, match=r"there is no file .*12\.npz to import"):
        kit.convert("npz", tmp_path, tmp_path / "other", source_options={"files": ["12.npz"]})
