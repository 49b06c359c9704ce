"""ALOHA against gym-aloha's own environment, which renders three pictures per step."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lerobot.aloha.config import PHYSICS_HZ, AlohaConfig
from lerobot.core.errors import LeRobotError
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env
from lerobot.envs.testing import assert_same_episodes

FAST = {"observation_width": 64, "observation_height": 48, "quality": "fast"}
REST = np.array([0, -0.96, 1.16, 0, -0.3, 0, 0.1] * 2, np.float32)


@pytest.fixture
def cube() -> Iterator[Any]:
    env = AlohaConfig(task="AlohaTransferCube-v0", **FAST).build()
    yield env
    env.close()


@pytest.mark.parametrize("task", ["insertion", pytest.param("transfer_cube", marks=pytest.mark.slow)])
def test_it_is_gym_alohas_own(task: str) -> None:
    """Same seed and actions: the same pictures, joints and rewards, to the last bit."""
    name = {"insertion": "AlohaInsertion-v0", "transfer_cube": "AlohaTransferCube-v0"}[task]
    env = AlohaConfig(task=name).build()
    from gym_aloha.env import AlohaEnv

    reference = AlohaEnv(task, obs_type="pixels_agent_pos")
    seen, expected = env.reset(seed=12)[0], reference.reset(seed=12)[0]
    random = np.random.default_rng(0)
    for _ in range(3):
        assert np.array_equal(seen["pixels"]["top"], expected["pixels"]["top"])
        assert np.array_equal(seen["agent_pos"], expected["agent_pos"])
        action = (REST + random.uniform(-0.3, 0.3, 14)).astype(np.float32)
        seen, *ours = env.step(action)
        expected, *theirs = reference.step(action)
        assert ours == theirs
    reference._env.physics.free()
    env.close()


@pytest.mark.parametrize(("side", "reward"), [("right", 2.0), ("left", 4.0)])
def test_a_cube_is_solved_in_the_left_gripper_only(cube: Any, side: str, reward: float) -> None:
    """The cube is put between the fingers of either hand, above the table."""
    cube.reset(seed=0)
    cube._physics.named.data.qpos["red_box_joint"][:3] = _between_fingers(cube, side)
    _, found, terminated, _, info = cube.step(REST)
    assert (found, terminated, info) == (reward, reward == 4, {"is_success": reward == 4})


def _between_fingers(env: Any, side: str) -> np.ndarray:
    places = env._physics.named.data.geom_xpos
    return (places[f"vx300s_{side}/10_left_gripper_finger"] + places[f"vx300s_{side}/10_right_gripper_finger"]) / 2


def test_a_peg_at_the_pin_is_inserted() -> None:
    env = AlohaConfig(**FAST).build()
    env.reset(seed=0)
    socket = env._physics.named.data.qpos["blue_socket_joint"].copy()
    env._physics.named.data.qpos["red_peg_joint"] = socket
    _, reward, terminated, truncated, info = env.step(REST)
    assert (reward, terminated, truncated, info) == (4.0, True, False, {"is_success": True})
    env.close()


def test_an_episode_is_cut_off() -> None:
    env = AlohaConfig(episode_length=2, **FAST).build()
    env.reset(seed=0)
    assert [env.step(REST)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    env.close()


@pytest.mark.parametrize("fps", [10, 50, 100])
def test_a_step_takes_its_time(fps: int) -> None:
    env = AlohaConfig(fps=fps, **FAST).build()
    env.reset(seed=0)
    for _ in range(5):
        env.step(REST)
    assert env._physics.time() == pytest.approx(5 / fps)
    assert env._physics.timestep() == pytest.approx(1 / PHYSICS_HZ)
    assert env.metadata["render_fps"] == fps
    env.close()


def test_what_is_no_number_is_refused(cube: Any) -> None:
    cube.reset(seed=0)
    with pytest.raises(LeRobotError, match="the action of step 0"):
        cube.step(np.full(14, np.nan, np.float32))


def test_starts_without_a_seed_repeat_too(cube: Any) -> None:
    """Only the first start is given; those after it follow from it."""
    runs = []
    for _ in range(2):
        cube.reset(seed=5)
        runs.append([cube.reset()[0]["pixels"]["top"] for _ in range(2)])
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0][0], runs[0][1])


def test_a_rendered_picture_is_the_seen_one(cube: Any) -> None:
    seen, _ = cube.reset(seed=0)
    first = cube.render()
    assert np.array_equal(first, seen["pixels"]["top"])
    first[:] = 0
    assert cube.render().any()
    for _ in range(10):
        cube.step(REST + np.float32(0.4))
    assert not np.array_equal(cube.render(), seen["pixels"]["top"])


def test_targets_have_the_joints_limits(cube: Any) -> None:
    """The arms' published ranges, and grippers from closed to open."""
    low, high = cube.action_space.low, cube.action_space.high
    np.testing.assert_allclose(low[:7], [-3.14158, -1.85005, -1.76278, -3.14158, -1.8675, -3.14158, 0], atol=1e-5)
    np.testing.assert_allclose(high[:7], [3.14158, 1.25664, 1.6057, 3.14158, 2.23402, 3.14158, 1], atol=1e-5)
    assert np.array_equal(low[7:], low[:7])
    assert np.array_equal(high[7:], high[:7])


def test_batch_sizes_give_identical_episodes() -> None:
    """Every reward is 0 here, so what the environments show at the end is compared as well."""
    config = AlohaConfig(task="AlohaTransferCube-v0", episode_length=6, **FAST)
    task = "Pick up the cube with the right arm and transfer it to the left arm."
    assert_same_episodes(config, task, rows=[(1, False), (3, False)])


def test_policies_see_what_they_know() -> None:
    for obs_type, names in (
        ("pixels_agent_pos", {"observation.images.top", "observation.state"}),
        ("pixels", {"observation.image.top"}),
    ):
        config = AlohaConfig(obs_type=obs_type, **FAST)
        env = make_env(config)
        found = provided_features(env.observation_space, env.action_space, config.features_map)
        assert set(found) == {*names, "action"}
        env.close()
