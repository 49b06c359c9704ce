"""The arm, its actions and the ends of its episodes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lerobot.core.errors import LeRobotError
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env
from lerobot.envs.testing import assert_same_episodes
from lerobot.gym_hil.config import GymHilConfig

STATES = {"obs_type": "environment_state_agent_pos"}
SMALL = {"observation_height": 32, "observation_width": 48, "quality": "fast"}
REST = np.array([0, 0, 0, 1], np.float32)


@pytest.fixture
def cube() -> Iterator[Any]:
    env = GymHilConfig(**STATES).build()
    env.reset(seed=0)
    yield env
    env.close()


@pytest.mark.parametrize(("axis", "low", "high"), [(0, 0.2, 0.6), (1, -0.3, 0.3), (2, 0.0, 0.5)])
def test_steps_move_the_hand_inside_its_workspace(cube: Any, axis: int, low: float, high: float) -> None:
    start = cube._data.mocap_pos[0].copy()
    action = REST.copy()
    action[axis] = 1
    cube.step(action)
    assert cube._data.mocap_pos[0][axis] == pytest.approx(start[axis] + 0.025, abs=1e-6)
    for sign, end in ((1, high), (-1, low)):
        action[axis] = sign
        for _ in range(30):
            cube.step(action)
        assert cube._data.mocap_pos[0][axis] == pytest.approx(end)


def test_a_gripper_closes_at_two(cube: Any) -> None:
    """As in gym-hil, whose pads call it "open"."""

    def gap() -> float:
        return float(cube._data.body("left_pad").xpos[1] - cube._data.body("right_pad").xpos[1])

    opened = gap()
    penalties = [cube.step(np.array([0, 0, 0, 2], np.float32))[-1]["discrete_penalty"] for _ in range(5)]
    assert penalties == [-0.05, 0, 0, 0, 0]
    assert gap() < 0.3 * opened
    assert cube.step(np.array([0, 0, 0, 0], np.float32))[-1]["discrete_penalty"] == -0.05


def test_without_a_gripper_it_stays(cube: Any) -> None:
    env = GymHilConfig(use_gripper=False, **STATES).build()
    assert env.action_space.shape == (3,)
    env.reset(seed=0)
    seen, *_, info = env.step(np.array([1, 1, 1], np.float32))
    assert (seen["agent_pos"][14], info["discrete_penalty"]) == (0, 0)
    env.close()


def lift(env: Any, *, close: bool) -> list[tuple[float, bool, bool, bool]]:
    """Go down to the cube, close the gripper or not, go up."""
    shut = 2 if close else 1
    plan = [(0.0, -1.0, 1)] * 4 + [(0.0, 0.0, shut)] * 4 + [(0.0, 1.0, 1)] * 12
    ends = []
    for x, z, grip in plan:
        _, reward, terminated, truncated, info = env.step(np.array([x, 0, z, grip], np.float32))
        ends.append((reward, terminated, truncated, info["is_success"]))
        if terminated:
            break
    return ends


def test_a_lifted_cube_is_solved(cube: Any) -> None:
    ends = lift(cube, close=True)
    assert ends[-1] == (1.0, True, False, True)
    assert all(end == (0.0, False, False, False) for end in ends[:-1])
    cube.reset(seed=0)
    assert not any(success for *_, success in lift(cube, close=False))


def test_a_cube_off_the_table_ends_the_episode(cube: Any) -> None:
    cube._data.joint("block").qpos[:2] = 0.3, 0.25
    _, reward, terminated, truncated, info = cube.step(REST)
    assert (reward, terminated, truncated, info["is_success"]) == (0.0, True, False, False)


def test_boxes_on_their_marks_are_solved() -> None:
    env = GymHilConfig(task="PandaArrangeBoxes-v0", **STATES).build()
    env.reset(seed=0)
    rows = {round(float(env._data.joint(f"block{number}").qpos[1]), 2) for number in range(1, 6)}
    assert rows == {-0.3, -0.15, 0.0, 0.15, 0.3}
    assert not env.step(REST)[-1]["is_success"]
    for number in range(1, 6):
        mark = env._data.sensor(f"target{number}_pos").data
        env._data.joint(f"block{number}").qpos[:3] = mark[0], mark[1], 0.02
    _, reward, terminated, _, info = env.step(REST)
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)
    env.close()


def test_an_episode_is_cut_off() -> None:
    env = GymHilConfig(episode_length=2, **STATES).build()
    env.reset(seed=0)
    assert [env.step(REST)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    assert env._data.time == pytest.approx(0.2)
    env.close()


def test_what_is_no_number_is_refused(cube: Any) -> None:
    with pytest.raises(LeRobotError, match="the action of step 0"):
        cube.step(np.full(4, np.nan, np.float32))


def test_cubes_start_by_the_seed_inside_their_area() -> None:
    env = GymHilConfig(random_block_position=True, **STATES).build()
    places = np.array([env.reset(seed=seed)[0]["environment_state"] for seed in range(50)])
    env.close()
    assert (places[:, 0].min(), places[:, 0].max()) == pytest.approx((0.3, 0.5), abs=0.02)
    assert (places[:, 1].min(), places[:, 1].max()) == pytest.approx((-0.15, 0.15), abs=0.02)


@pytest.mark.parametrize(
    "others",
    [
        [(3, False)],
        # Each process imports everything anew.
        pytest.param([(2, False), (2, True)], marks=pytest.mark.slow),
    ],
)
def test_batch_sizes_and_processes_give_identical_episodes(others: list[tuple[int, bool]]) -> None:
    """Every reward is 0 here, so what the environments show at the end is compared as well."""
    config = GymHilConfig(task="PandaArrangeBoxes-v0", episode_length=3, **SMALL)
    assert_same_episodes(config, "Put every box on the mark of its colour.", rows=[(1, False), *others])


def test_a_film_is_the_view_from_the_front(tmp_path: Path) -> None:
    """Also where a policy sees no picture."""
    env = make_env(GymHilConfig(episode_length=2, **STATES, **SMALL))
    env.reset(seed=0, options={"video": tmp_path / "film.mp4"})
    for _ in range(2):
        env.step(REST)
    env.close()
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert [(frame.height, frame.width) for frame in container.decode(video=0)] == [(32, 48)] * 3
        assert container.streams.video[0].average_rate == 10


@pytest.mark.parametrize(
    ("obs_type", "names"),
    [
        ("pixels_agent_pos", {"observation.images.front", "observation.images.wrist", "observation.state"}),
        ("environment_state_agent_pos", {"observation.environment_state", "observation.state"}),
    ],
)
def test_policies_see_what_they_know(obs_type: str, names: set[str]) -> None:
    config = GymHilConfig(obs_type=obs_type, **SMALL)
    env = make_env(config)
    found = provided_features(env.observation_space, env.action_space, config.features_map)
    assert set(found) == {*names, "action"}
    env.close()
