"""Subsets of Open X-Embodiment: what each becomes, against formulas written here from the catalogue and OpenVLA.

Each miniature has the features of its page in the catalogue of TensorFlow Datasets; `expected` computes state and
action from the values that were written, one step after the other.
"""

import math
import zlib

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError
from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig

LENGTHS = (5, 3)
INSTRUCTION = b"open the drawer"


def numbers(rng, length, *shape):
    return rng.normal(size=(length, *shape)).astype("f4")


def moves(rng, length, *shape):
    return rng.choice(np.array([-1, 0, 0, 1], "f4"), (length, *shape))


def opened(commands):
    """The gripper, 1 open and 0 closed, step by step: a command holds until the next one."""
    commands = np.ravel(commands)
    given = [command for command in commands if command]
    state = 1.0 if not given or given[0] > 0 else 0.0
    states = []
    for command in commands:
        state = {1.0: 0.0, -1.0: 1.0}.get(float(command), state)
        states.append(state)
    return np.array(states, "f4")


def delta_actions(rng, n, gripper):
    return {"action/world_vector": numbers(rng, n, 3), "action/rotation_delta": numbers(rng, n, 3), **gripper}


def instruction(n):
    return {"observation/natural_language_instruction": [INSTRUCTION] * n}


def pictures(kit, rng, n, *names):
    return {f"observation/{name}": kit.images(rng, n) for name in names}


def fractal(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image"),
        **instruction(n),
        "observation/base_pose_tool_reached": numbers(rng, n, 7),
        "observation/gripper_closed": numbers(rng, n, 1),
        **delta_actions(rng, n, {"action/gripper_closedness_action": moves(rng, n, 1)}),
        "action/base_displacement_vector": numbers(rng, n, 2),
        "action/terminate_episode": np.zeros((n, 3), "i4"),
    }


def delta(v, gripper):
    return np.column_stack([v["action/world_vector"], v["action/rotation_delta"], gripper])


def of_fractal(v):
    state = [v["observation/base_pose_tool_reached"], v["observation/gripper_closed"]]
    return np.hstack(state), delta(v, opened(v["action/gripper_closedness_action"]))


POSE = "observation/clip_function_input/base_pose_tool_reached"


def kuka(kit, rng, n):
    """State as the distributed files have it: bytes of float32, compressed."""
    return {
        **pictures(kit, rng, n, "image"),
        **instruction(n),
        POSE: [zlib.compress(row.tobytes()) for row in numbers(rng, n, 7)],
        "observation/gripper_closed": [zlib.compress(row.tobytes()) for row in numbers(rng, n, 1)],
        **delta_actions(rng, n, {"action/gripper_closedness_action": moves(rng, n, 1)}),
    }


def of_kuka(v):
    parts = [
        np.stack([np.frombuffer(zlib.decompress(each), "<f4") for each in v[key]])
        for key in (POSE, "observation/gripper_closed")
    ]
    return np.hstack(parts), delta(v, opened(v["action/gripper_closedness_action"]))


def taco_play(kit, rng, n):
    return {
        **pictures(kit, rng, n, "rgb_static", "rgb_gripper"),
        **instruction(n),
        "observation/structured_language_instruction": [b"open_drawer"] * n,
        "observation/depth_static": numbers(rng, n, 15, 20),
        "observation/robot_obs": numbers(rng, n, 15),
        "action/actions": numbers(rng, n, 7),
        "action/rel_actions_world": np.column_stack([numbers(rng, n, 6), rng.choice([-1.0, 1.0], n)]).astype("f4"),
        "action/rel_actions_gripper": numbers(rng, n, 7),
        "action/terminate_episode": np.zeros(n, "f4"),
    }


def of_taco_play(v):
    action = v["action/rel_actions_world"].copy()
    action[:, 6] = np.minimum(np.maximum(action[:, 6], 0), 1)
    return v["observation/robot_obs"][:, :7], action


def jaco_play(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image", "image_wrist"),
        **instruction(n),
        "observation/end_effector_cartesian_pos": numbers(rng, n, 7),
        "observation/joint_pos": numbers(rng, n, 8),
        "action/world_vector": numbers(rng, n, 3),
        "action/gripper_closedness_action": moves(rng, n, 1),
        "action/terminate_episode": np.zeros((n, 3), "i4"),
    }


def of_jaco_play(v):
    action = np.column_stack([v["action/world_vector"], opened(v["action/gripper_closedness_action"])])
    return v["observation/end_effector_cartesian_pos"], action


def ur5(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image", "hand_image"),
        **instruction(n),
        "observation/image_with_depth": numbers(rng, n, 16, 16, 1),
        "observation/robot_state": numbers(rng, n, 15),
        **delta_actions(rng, n, {"action/gripper_closedness_action": moves(rng, n)}),
        "action/terminate_episode": np.zeros(n, "f4"),
    }


def of_ur5(v):
    return v["observation/robot_state"][:, 6:14], delta(v, opened(v["action/gripper_closedness_action"]))


def viola(kit, rng, n):
    return {
        **pictures(kit, rng, n, "agentview_rgb", "eye_in_hand_rgb"),
        **instruction(n),
        "observation/joint_states": numbers(rng, n, 7),
        "observation/gripper_states": numbers(rng, n, 1),
        "observation/ee_states": numbers(rng, n, 16),
        **delta_actions(rng, n, {"action/gripper_closedness_action": moves(rng, n)}),
    }


def of_viola(v):
    gripper = 1 - np.clip(v["action/gripper_closedness_action"], 0, 1)
    return np.hstack([v["observation/joint_states"], v["observation/gripper_states"]]), delta(v, gripper)


def bc_z(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image"),
        **instruction(n),
        "observation/present/xyz": numbers(rng, n, 3),
        "observation/present/axis_angle": numbers(rng, n, 3),
        "observation/present/sensed_close": numbers(rng, n, 1),
        "action/future/xyz_residual": numbers(rng, n, 30),
        "action/future/axis_angle_residual": numbers(rng, n, 30),
        "action/future/target_close": rng.integers(0, 2, (n, 10)),
    }


def of_bc_z(v):
    present = [v[f"observation/present/{name}"] for name in ("xyz", "axis_angle", "sensed_close")]
    residuals = [v[f"action/future/{name}_residual"][:, :3] for name in ("xyz", "axis_angle")]
    return np.hstack(present), np.hstack([*residuals, 1 - v["action/future/target_close"][:, :1]])


def cable(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image", "top_image", "wrist45_image", "wrist225_image"),
        **instruction(n),
        "observation/robot_state": numbers(rng, n, 7),
        **delta_actions(rng, n, {"action/terminate_episode": np.zeros(n, "f4")}),
    }


def of_cable(v):
    return v["observation/robot_state"], np.hstack([v["action/world_vector"], v["action/rotation_delta"]])


def language_table(kit, rng, n):
    codes = np.zeros((n, 512), "i4")
    codes[:, : len(INSTRUCTION)] = list(INSTRUCTION)
    return {
        **pictures(kit, rng, n, "rgb"),
        "observation/instruction": codes,
        "observation/effector_translation": numbers(rng, n, 2),
        "observation/effector_target_translation": numbers(rng, n, 2),
        "action": numbers(rng, n, 2),
    }


def of_language_table(v):
    return v["observation/effector_translation"], v["action"]


def furniture(kit, rng, n):
    rotations = numbers(rng, n, 4)
    action = [numbers(rng, n, 3), rotations / np.linalg.norm(rotations, axis=1, keepdims=True), moves(rng, n, 1)]
    return {
        **pictures(kit, rng, n, "image", "wrist_image"),
        "language_instruction": [INSTRUCTION] * n,
        "observation/state": numbers(rng, n, 35),
        "action": np.hstack(action).astype("f4"),
    }


def of_furniture(v):
    """Angles out of the matrix Rz(yaw) Ry(pitch) Rx(roll) that a unit quaternion is."""
    rows = []
    for x, y, z, w in v["action"][:, 3:7].astype(float):
        column = [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)]
        last = [2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]
        rows.append([math.atan2(*last), -math.asin(column[2]), math.atan2(column[1], column[0])])
    gripper = 1 - np.clip(v["action"][:, 7:], 0, 1)
    state = v["observation/state"]
    return np.hstack([state[:, :7], state[:, -1:]]), np.hstack([v["action"][:, :3], rows, gripper])


def ucsd(kit, rng, n):
    return {
        **pictures(kit, rng, n, "image"),
        "language_instruction": [INSTRUCTION] * n,
        "observation/state": numbers(rng, n, 21),
        "action": numbers(rng, n, 8),
    }


def of_ucsd(v):
    return v["observation/state"][:, :7], v["action"][:, :-1]


SUBSETS = {
    "fractal20220817_data": (fractal, of_fractal, 3),
    "kuka": (kuka, of_kuka, 10),
    "taco_play": (taco_play, of_taco_play, 15),
    "jaco_play": (jaco_play, of_jaco_play, 10),
    "berkeley_autolab_ur5": (ur5, of_ur5, 5),
    "viola": (viola, of_viola, 20),
    "bc_z": (bc_z, of_bc_z, 10),
    "berkeley_cable_routing": (cable, of_cable, 10),
    "language_table": (language_table, of_language_table, 10),
    "furniture_bench_dataset_converted_externally_to_rlds": (furniture, of_furniture, 10),
    "ucsd_kitchen_dataset_converted_externally_to_rlds": (ucsd, of_ucsd, 2),
}


def miniature(kit, write_rlds, folder, name):
    rng = np.random.default_rng(len(name))
    make = SUBSETS[name][0]
    episodes = [kit.steps(make(kit, rng, length), length) for length in LENGTHS]
    if name == "kuka":
        episodes = [
            {**episode, "success": np.array(length > 3)} for episode, length in zip(episodes, LENGTHS, strict=True)
        ]
    write_rlds(folder, name, episodes, shards=2)
    return [{key.removeprefix("steps/"): value for key, value in episode.items()} for episode in episodes]


@pytest.mark.parametrize("name", SUBSETS)
def test_state_and_action_mean_what_the_recipe_says(name, kit, write_rlds, convert, tmp_path):
    _, expected, fps = SUBSETS[name]
    values = miniature(kit, write_rlds, tmp_path / "0.1.0", name)
    found = convert("oxe", tmp_path / "0.1.0", name=name)
    assert found.info["fps"] == fps
    assert found.lengths == list(LENGTHS)
    assert found.tasks == [INSTRUCTION.decode()] * sum(LENGTHS)
    state, action = (np.concatenate(parts) for parts in zip(*map(expected, values), strict=True))
    np.testing.assert_array_equal(found.columns["observation.state"], state.astype("f4"))
    np.testing.assert_allclose(found.columns["action"], action.astype("f4"), rtol=0, atol=2e-6)
    for key in (key for key in values[0] if key.startswith("observation/") and np.ndim(values[0][key]) == 4):
        if values[0][key].dtype != np.uint8:
            continue
        image = np.concatenate([value[key] for value in values])
        image = image[..., ::-1] if (name, key) == ("berkeley_autolab_ur5", "observation/hand_image") else image
        np.testing.assert_array_equal(found.columns[f"observation.images.{key.partition('/')[2]}"], image)


def test_attempts_of_kuka_that_failed_are_told_apart(kit, write_rlds, tmp_path):
    miniature(kit, write_rlds, tmp_path / "0.1.0", "kuka")
    found = kit.columns("oxe", tmp_path / "0.1.0", name="kuka")
    assert found["is_episode_successful"].tolist() == [True] * 5 + [False] * 3


def test_the_relative_gripper_of_rt1_is_put_together(shared, convert, kit):
    found = convert("oxe", shared / "fractal_mini/0.1.0", name="fractal20220817_data")
    assert found.lengths == [6, 4]
    # +1 closes at steps 1 and 2, -1 opens at step 5.
    assert found.columns["action"][:, 6].tolist() == [1, 0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert found.tasks == ["open drawer"] * 10
    published = kit.columns("oxe", shared / "fractal_mini/0.1.0", name="fractal20220817_data", as_published=True)
    assert published["action"][:6, 6].tolist() == [0, 1, 1, 0, 0, -1]


def test_as_published(kit, write_rlds, tmp_path):
    """One of every kind: another column of the state, colours, and numbers that were never there."""

    def published(name, fault):
        values = miniature(kit, write_rlds, tmp_path / name, name)
        found = kit.columns("oxe", tmp_path / name, name=name, as_published=[fault])
        return {key: np.concatenate([value[key] for value in values]) for key in values[0]}, found

    values, found = published("taco_play", "joint_as_gripper")
    np.testing.assert_array_equal(found["observation.state"][:, 6], values["observation/robot_obs"][:, 7])
    values, found = published("berkeley_autolab_ur5", "bgr")
    np.testing.assert_array_equal(found["observation.images.hand_image"], values["observation/hand_image"])
    values, found = published("language_table", "padding")
    np.testing.assert_array_equal(found["action"][:, :2], values["action"])
    assert found["action"][:, 2:].tolist() == [[0, 0, 0, 0, 1]] * sum(LENGTHS)
    values, found = published("jaco_play", "padding")
    assert found["action"].shape == (8, 7)
    assert not found["action"][:, 3:6].any()


def test_a_wrong_name_or_dataset_says_what_is_nearest(shared, kit):
    with pytest.raises(ConfigError, match="did you mean 'jaco_play'"):
        load(ConvertDatasetConfig, ["--from=oxe", "--from.name=jacoplay", "--from.path=x", "--root=x"], {})
    words = ["--from=oxe", "--from.name=kuka", "--from.path=x", "--from.as_published=[relative_griper]"]
    with pytest.raises(ConfigError, match="one of relative_gripper; did you mean 'relative_gripper'"):
        load(ConvertDatasetConfig, words, {})
    with pytest.raises(
        DatasetError,
        match=r"(?s)is not VIOLA: it lacks observation/agentview_rgb.*it may be --from=oxe --from.name=fractal",
    ):
        kit.opened("oxe", shared / "fractal_mini/0.1.0", name="viola")
    with pytest.raises(DatasetError, match=r"holds no features\.json"):
        kit.opened("oxe", shared, name="viola")
