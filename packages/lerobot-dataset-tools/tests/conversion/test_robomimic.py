"""HDF5 files written by h5py, as robomimic and LIBERO lay them out, and a real one."""

import json

import h5py
import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.verification.verify import verify_dataset

LENGTHS = {"demo_0": 4, "demo_2": 3, "demo_10": 5}


def write(path, lengths=LENGTHS, **data_attributes):
    """Values that tell where they belong; demonstrations are written in another order than their numbers."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update(data_attributes)
        for name in sorted(lengths, reverse=True):
            demo, n = data.create_group(name), lengths[name]
            number = int(name.removeprefix("demo_"))
            step = np.arange(n)
            demo["actions"] = np.stack([step, -step, np.full(n, number)], 1).astype("f8") / 3
            demo["rewards"] = step.astype("f8")
            demo["dones"] = (step == n - 1).astype("i8")
            demo["states"] = rng.normal(size=(n, 45))
            demo["obs/robot0_eef_pos"] = np.stack([step, step + 0.5, step + number], 1).astype("f8")
            demo["obs/robot0_gripper_qpos"] = np.stack([step * 10, step * 20], 1).astype("f4")
            demo["obs/object"] = np.stack([step, step], 1).astype("f8")
            demo["obs/agentview_image"] = rng.integers(0, 256, (n, 16, 24, 3), "u1")
            demo["next_obs/object"] = np.zeros((n, 2))
        file["mask/train"] = np.array([b"demo_10", b"demo_0"])
    return path


def test_every_value_lands_where_it_belongs(tmp_path, kit):
    path = write(tmp_path / "demo.hdf5", env_args=json.dumps({"env_kwargs": {"control_freq": 20}}))
    kit.convert("robomimic", path, tmp_path / "set", fps=None)
    found = kit.read(tmp_path / "set")
    assert found.info["fps"] == 20
    assert found.lengths == [4, 3, 5]
    names = ["robot0_eef_pos_0", "robot0_eef_pos_1", "robot0_eef_pos_2"]
    assert found.features["observation.state"]["names"] == [
        *names,
        "robot0_gripper_qpos_0",
        "robot0_gripper_qpos_1",
    ]
    with h5py.File(path) as file:
        demos = [file["data"][name] for name in ("demo_0", "demo_2", "demo_10")]
        expected = {
            key: np.concatenate([demo[key][:] for demo in demos])
            for key in ("actions", "rewards", "dones", "obs/object", "obs/agentview_image")
        }
        parts = ("obs/robot0_eef_pos", "obs/robot0_gripper_qpos")
        state = np.concatenate([np.hstack([demo[key][:] for key in parts]) for demo in demos])
    np.testing.assert_array_equal(found.columns["observation.state"], state.astype("f4"))
    np.testing.assert_array_equal(found.columns["action"], expected["actions"].astype("f4"))
    np.testing.assert_array_equal(found.columns["next.reward"], expected["rewards"].astype("f4"))
    np.testing.assert_array_equal(found.columns["next.done"], expected["dones"].astype(bool))
    np.testing.assert_array_equal(found.columns["observation.environment_state"], expected["obs/object"])
    np.testing.assert_array_equal(found.columns["observation.images.agentview"], expected["obs/agentview_image"])
    assert set(found.tasks) == {"do it"}
    assert not [finding for finding in verify_dataset(tmp_path / "set") if finding.severity == "error"]


def test_a_mask_chooses_demonstrations(tmp_path, kit):
    path = write(tmp_path / "demo.hdf5")
    kit.convert("robomimic", path, tmp_path / "set", source_options={"mask": "train"})
    found = kit.read(tmp_path / "set")
    assert found.lengths == [4, 5]
    np.testing.assert_array_equal(np.unique(found.columns["action"][:, 2]), np.float32([0, 10 / 3]))


def test_the_instruction_of_a_libero_file(tmp_path, kit):
    path = write(tmp_path / "demo.hdf5", problem_info=json.dumps({"language_instruction": ["Open ", "it"]}))
    kit.convert("robomimic", path, tmp_path / "set", task=None)
    assert set(kit.read(tmp_path / "set").tasks) == {"Open it"}


def test_images_become_video(tmp_path, kit):
    shade = np.arange(6, dtype="u1")[:, None, None, None] * 40
    with h5py.File(tmp_path / "demo.hdf5", "w") as file:
        file["data/demo_0/actions"] = np.zeros((6, 1))
        file["data/demo_0/obs/front_rgb"] = np.broadcast_to(shade, (6, 32, 48, 3))
        file["data/demo_0/obs/wrist_image"] = np.broadcast_to(255 - shade[..., 0], (6, 32, 48))[:, None]
    kit.convert("robomimic", tmp_path / "demo.hdf5", tmp_path / "set", video=True)
    for camera, expected in {"front": shade, "wrist": 255 - shade}.items():
        decoded = kit.images(tmp_path / "set", f"observation.images.{camera}").astype(int)
        assert decoded.shape == (6, 32, 48, 3)
        assert np.abs(decoded - expected).max() <= 4
    assert kit.read(tmp_path / "set").features["observation.images.wrist"]["shape"] == [32, 48, 3]


def test_a_real_file_with_its_demonstrations_at_the_top(tmp_path, kit, shared):
    path = shared / "cartpendulum_hdf5/demo.hdf5"
    kit.convert("robomimic", path, tmp_path / "set", source_options={"group": "/"}, fps=50)
    found = kit.read(tmp_path / "set")
    assert found.lengths == [300] * 100
    with h5py.File(path) as file:
        for key, feature in {"observation": "observation.state", "action": "action"}.items():
            expected = np.concatenate([file[f"demo_{i}"][key][:] for i in range(100)])
            np.testing.assert_array_equal(found.columns[feature].reshape(expected.shape), expected)
    assert not [finding for finding in verify_dataset(tmp_path / "set") if finding.severity == "error"]


def ragged(file):
    del file["data/demo_2/rewards"]
    file["data/demo_2/rewards"] = np.zeros(2)


def of_another_shape(file):
    del file["data/demo_2/actions"]
    file["data/demo_2/actions"] = np.zeros((3, 4))


def not_a_number(file):
    file["data/demo_2/actions"][1, 2] = np.nan


def lacking(file):
    del file["data/demo_2/obs/object"]


def empty(file):
    del file["data/demo_2"]
    for key, shape in {"actions": (3,), "rewards": (), "obs/object": (2,), "obs/robot0_eef_pos": (3,)}.items():
        file[f"data/demo_2/{key}"] = np.zeros((0, *shape))
    file["data/demo_2/dones"] = np.zeros(0, "i8")
    file["data/demo_2/obs/robot0_gripper_qpos"] = np.zeros((0, 2), "f4")
    file["data/demo_2/obs/agentview_image"] = np.zeros((0, 16, 24, 3), "u1")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (ragged, r"rewards has 2 rows\n  expected: 3"),
        (of_another_shape, r"actions is float64 \(4,\)\n  expected: float64 \(3,\)"),
        (not_a_number, r"frame 1: feature 'action' is nan at \(2,\)"),
        (lacking, "demo_2 lacks obs/object"),
        (empty, "there is no frame"),
    ],
)
def test_a_damaged_demonstration_is_refused_by_name_and_can_be_skipped(tmp_path, kit, damage, what):
    path = write(tmp_path / "demo.hdf5")
    with h5py.File(path, "a") as file:
        damage(file)
    with pytest.raises(DatasetError, match=what) as caught:
        kit.convert("robomimic", path, tmp_path / "set")
    assert "episode 1 (" in str(caught.value)
    assert "demo_2" in str(caught.value)
    assert kit.read(tmp_path / "set").lengths == [4]
    result = kit.convert("robomimic", path, tmp_path / "set", skip_episodes=[1])
    assert result.resumed_at == 1
    assert kit.read(tmp_path / "set").lengths == [4, 5]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"group": "demos"}, "no group 'demos'"),
        ({"group": "mask"}, "holds no demonstration"),
        ({"mask": "valid"}, "no mask 'valid'\n  expected: one of train"),
    ],
)
def test_a_wrong_choice_is_answered_with_what_there_is(tmp_path, kit, options, what):
    with pytest.raises(DatasetError, match=what):
        kit.convert("robomimic", write(tmp_path / "demo.hdf5"), tmp_path / "set", source_options=options)
    assert not (tmp_path / "set").exists()


def test_a_truncated_file_and_one_of_another_kind(tmp_path, kit):
    whole = write(tmp_path / "demo.hdf5").read_bytes()
    for name, content in {"cut.hdf5": whole[: len(whole) // 2], "text.hdf5": b"not an HDF5 file"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match=f"{name} cannot be read"):
            kit.convert("robomimic", tmp_path / name, tmp_path / "set")
    with pytest.raises(DatasetError, match="there is no file"):
        kit.convert("robomimic", tmp_path / "none.hdf5", tmp_path / "set")
