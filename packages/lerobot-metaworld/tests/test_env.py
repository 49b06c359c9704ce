"""Meta-World against a recorded trajectory, its own benchmark classes, and its scripted experts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import LeRobotError
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env
from lerobot.envs.opengl import platform
from lerobot.envs.testing import assert_same_episodes
from lerobot.metaworld.config import MetaworldConfig

GOLDEN = Path(__file__).parents[4] / "shared/data/golden/envs/metaworld_push.json"
STATE = {"obs_type": "environment_state_agent_pos"}
SMALL = {"observation_width": 64, "observation_height": 48, "quality": "fast"}


@pytest.fixture
def push() -> Iterator[Any]:
    env = MetaworldConfig(**STATE).build()
    yield env
    env.close()


@pytest.mark.skipif(not GOLDEN.exists(), reason="../shared is not here")
def test_it_repeats_the_recorded_trajectory(push: Any) -> None:
    """Recorded with metaworld 3.0.0, through its benchmark class and huggingface/lerobot's order of calls."""
    golden = json.loads(GOLDEN.read_text())
    observation, _ = push.reset(seed=golden["seed"])
    seen, told = [observation["environment_state"]], []
    for action in golden["actions"]:
        observation, reward, _, _, info = push.step(np.array(action, np.float32))
        seen.append(observation["environment_state"])
        told.append([reward, float(info["is_success"])])
    np.testing.assert_allclose(seen, golden["obs"], atol=1e-8)
    np.testing.assert_allclose(told, golden["reward_success"], atol=1e-8)


def test_it_is_metaworlds_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same seed and actions: the state, rewards and pictures of metaworld's benchmark class, to the last bit."""
    env = MetaworldConfig(task="drawer-open-v3").build()
    from metaworld import MT1

    benchmark = MT1("drawer-open-v3", seed=42)
    reference = benchmark.train_classes["drawer-open-v3"](render_mode="rgb_array", camera_name="corner2")
    reference.set_task(benchmark.train_tasks[0])
    reference._freeze_rand_vec, reference.seeded_rand_vec = False, True
    reference.model.cam_pos[2] = [0.75, 0.075, 0.7]  # as huggingface/lerobot does
    seen, _ = env.reset(seed=12)
    reference.seed(12)
    expected, _ = reference.reset()
    monkeypatch.setenv("MUJOCO_GL", platform() or "glfw")
    assert np.array_equal(seen["pixels"], reference.render()[::-1, ::-1])
    reference.close()
    random = np.random.default_rng(0)
    for _ in range(5):
        assert np.array_equal(env.state, expected)
        action = random.uniform(-1, 1, 4).astype(np.float32)
        _, reward, *_ = env.step(action)
        expected, their_reward, *_ = reference.step(action)
        assert reward == their_reward
    env.close()


def test_a_solved_task_ends_the_episode(push: Any) -> None:
    """The puck is put on its goal; nothing is reset before the caller asks."""
    push.reset(seed=0)
    push._sim._set_obj_xyz(push.state[-3:])
    observation, reward, terminated, truncated, info = push.step(np.zeros(4, np.float32))
    assert (terminated, truncated, info["is_success"]) == (True, False, True)
    assert reward == pytest.approx(10)
    np.testing.assert_allclose(observation["environment_state"][4:7], push.state[-3:], atol=0.05)


def test_an_episode_is_cut_off() -> None:
    env = MetaworldConfig(episode_length=2, **STATE).build()
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(np.zeros(4, np.float32))[2:4] for _ in range(2)] == [(False, False), (False, True)]
    env.close()


def test_a_whole_episode_can_be_played(push: Any) -> None:
    """The simulation refuses the step after its last one, which is the one that is cut off."""
    push.reset(seed=0)
    ends = [push.step(np.zeros(4, np.float32))[3] for _ in range(push.config.episode_length)]
    assert ends.index(True) == 499


def test_goals_follow_the_seed(push: Any) -> None:
    goals = [push.reset(seed=seed)[0]["environment_state"][-3:].tolist() for seed in (0, 1, 0)]
    assert goals[0] == goals[2]
    assert goals[0] != goals[1]


def test_starts_without_a_seed_repeat_too(push: Any) -> None:
    runs = []
    for _ in range(2):
        push.reset(seed=5)
        runs.append([push.reset()[0]["environment_state"].tolist() for _ in range(2)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_what_is_no_number_is_refused(push: Any) -> None:
    push.reset(seed=0)
    with pytest.raises(LeRobotError, match="the action of step 0"):
        push.step(np.full(4, np.nan, np.float32))


def test_a_rendered_picture_is_the_seen_one() -> None:
    env = MetaworldConfig(task="reach-v3", **SMALL).build()
    seen, _ = env.reset(seed=0)
    first = env.render()
    assert np.array_equal(first, seen["pixels"])
    first[:] = 0
    assert env.render().any()
    for _ in range(10):
        seen, *_ = env.step(np.array([1, 0, 0, 0], np.float32))
    assert np.array_equal(env.render(), seen["pixels"])
    env.close()


def test_the_arm_stands_at_the_top_of_the_picture() -> None:
    """The camera hangs upside down and the picture is turned: the near, brown table fills its lower half."""
    env = MetaworldConfig(task="reach-v3", **SMALL).build()
    picture = env.reset(seed=0)[0]["pixels"].astype(int)
    env.close()
    brown = picture[..., 0] - picture[..., 2] > 25
    assert brown[36:].mean() > 2 * brown[:12].mean()


def test_policies_see_what_they_know() -> None:
    for obs_type, names in (
        ("pixels_agent_pos", {"observation.image", "observation.state"}),
        ("pixels", {"observation.image"}),
        ("environment_state_agent_pos", {"observation.environment_state", "observation.state"}),
    ):
        config = MetaworldConfig(obs_type=obs_type, **SMALL)
        env = make_env(config)
        found = provided_features(env.observation_space, env.action_space, config.features_map)
        assert set(found) == {*names, "action"}
        env.close()


@pytest.mark.parametrize("others", [[(3, False)], pytest.param([(2, True)], marks=pytest.mark.slow)])
def test_batch_sizes_and_workers_give_identical_episodes(others: list[tuple[int, bool]]) -> None:
    assert_same_episodes(
        MetaworldConfig(task="reach-v3", episode_length=6, **SMALL), "Reach a goal position", rows=[(1, False), *others]
    )
