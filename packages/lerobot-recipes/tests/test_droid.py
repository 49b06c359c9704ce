"""DROID, from the miniature that TensorFlow Datasets wrote; its values by the formulas of its description."""

import json
import shutil

import numpy as np
import pytest

from lerobot.core.errors import DatasetError

LENGTHS = (5, 3)


def vectors(offset, size):
    """Number k of step i of episode e: k / 10 + 100 e + i + offset, stored as float32."""
    rows = [100 * episode + step for episode, length in enumerate(LENGTHS) for step in range(length)]
    return (np.arange(size) / 10 + np.array(rows)[:, None] + offset).astype("f4")


def grippers(shift):
    return np.concatenate([(np.arange(n) + shift) / n for n in LENGTHS]).astype("f4")[:, None]


def test_every_value_lands_where_the_published_port_has_it(shared, convert):
    found = convert("droid", shared / "droid_mini/1.0.1")
    columns = found.columns
    assert found.lengths == [5, 3]
    assert found.info["fps"] == 15
    expected = {
        "observation.state.cartesian_position": vectors(0.25, 6),
        "observation.state.joint_position": vectors(0, 7),
        "observation.state.gripper_position": grippers(0),
        "action.cartesian_position": vectors(1.25, 6),
        "action.cartesian_velocity": vectors(2, 6),
        "action.joint_position": vectors(1, 7),
        "action.joint_velocity": vectors(3, 7),
        "action.gripper_position": grippers(1),
        "action.gripper_velocity": np.full((8, 1), 0.5, "f4"),
        "action.original": vectors(4, 7),
        "observation.state": np.hstack([vectors(0, 7), grippers(0)]),
        "action": np.hstack([vectors(1, 7), grippers(1)]),
        "is_first": np.array([[1], [0], [0], [0], [0], [1], [0], [0]], bool),
        "is_episode_successful": np.array([[1]] * 5 + [[0]] * 3, bool),
    }
    for key, values in expected.items():
        np.testing.assert_array_equal(columns[key].reshape(values.shape), values, err_msg=key)
    assert found.features["observation.state"]["names"] == [*(f"joint_{i}" for i in range(7)), "gripper"]
    assert columns["task_category"] == ["pick and place"] * 8
    assert columns["building"] == ["B1"] * 8
    assert columns["collector_id"] == ["C7"] * 8
    assert columns["date"] == ["2023-07-08"] * 8
    assert columns["language_instruction_2"] == ["place cup"] * 5 + [""] * 3
    assert found.tasks == ["put the cup on the plate"] * 5 + [""] * 3
    assert columns["camera_extrinsics.wrist_left"].shape == (8, 6)


def test_images_are_those_of_their_camera_and_step(shared, kit):
    columns = kit.columns("droid", shared / "droid_mini/1.0.1")
    for camera, blue in {"wrist_left": 10, "exterior_1_left": 110, "exterior_2_left": 210}.items():
        found = columns[f"observation.images.{camera}"]
        colours = [(40 * episode + 8 * step, 100, blue) for episode, n in enumerate(LENGTHS) for step in range(n)]
        assert found.shape == (8, 12, 16, 3)
        # JPEG keeps a constant colour within some steps.
        assert np.abs(found.astype(int) - np.array(colours)[:, None, None]).max() <= 3


@pytest.mark.parametrize("as_published", [True, ["task_category"]])
def test_as_published_the_category_is_the_building(shared, kit, as_published):
    found = kit.columns("droid", shared / "droid_mini/1.0.1", as_published=as_published)
    assert found["task_category"].tolist() == ["B1"] * 8


def test_another_instruction_where_there_is_none(shared, kit):
    found = kit.columns("droid", shared / "droid_mini/1.0.1", empty_instruction="Do something")
    assert found["task"].tolist() == ["put the cup on the plate"] * 5 + ["Do something"] * 3
    assert found["language_instruction"][5:].tolist() == [""] * 3


def earlier_version(shared, tmp_path):
    """1.0.0 tells less of an episode."""
    folder = shutil.copytree(shared / "droid_mini/1.0.1", tmp_path / "1.0.0", copy_function=shutil.copyfile)
    description = json.loads((folder / "features.json").read_text())
    metadata = description["featuresDict"]["features"]["episode_metadata"]["featuresDict"]["features"]
    for name in [name for name in metadata if name not in {"file_path", "recording_folderpath"}]:
        del metadata[name]
    (folder / "features.json").write_text(json.dumps(description))
    return folder, description


def test_the_earlier_version_lacks_what_it_does_not_tell(shared, convert, tmp_path):
    folder, _ = earlier_version(shared, tmp_path)
    found = convert("droid", folder)
    assert not {"building", "date", "task_category", "camera_extrinsics.wrist_left"} & found.features.keys()
    assert found.columns["is_episode_successful"].ravel().tolist() == [True] * 5 + [False] * 3


def test_something_else_is_told_by_what_is_missing(shared, kit, tmp_path):
    with pytest.raises(
        DatasetError,
        match=r"(?s)is not DROID: it lacks .*observation/wrist_image_left.*it may be --from=oxe --from.name=fractal",
    ):
        kit.opened("droid", shared / "fractal_mini/0.1.0")
    folder, description = earlier_version(shared, tmp_path)
    steps = description["featuresDict"]["features"]["steps"]["sequence"]["feature"]["featuresDict"]["features"]
    del steps["action_dict"]["featuresDict"]["features"]["joint_position"]
    (folder / "features.json").write_text(json.dumps(description))
    with pytest.raises(DatasetError, match="is not DROID: it lacks action_dict/joint_position\n"):
        kit.opened("droid", folder)
