"""PushT against its public recording, and what the simulation alone does not promise."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pymunk
import pytest

from lerobot.core.errors import LeRobotError
from lerobot.envs.assembly import env_maker, make_env
from lerobot.envs.evaluation import evaluate
from lerobot.envs.rows import EnvRows
from lerobot.pusht.config import PHYSICS_HZ, PushTConfig
from lerobot.pusht.env import PushT

RECORDING = Path(__file__).parents[4] / "shared/data/pusht_v30_novideo/data/chunk-000/file-000.parquet"
CENTRE = np.array([256, 256], np.float32)


def state_env(**fields: Any) -> PushT:
    return PushT(PushTConfig(obs_type="environment_state_agent_pos", **fields))


@pytest.mark.skipif(not RECORDING.exists(), reason="../shared is not here")
def test_it_repeats_the_public_recording() -> None:
    """The recording of 206 human demonstrations: episode k started from the original environment's seed k.

    A recorded reward belongs to the state after the row's action; that of the last row repeats the one before.
    """
    rows = pq.read_table(RECORDING).to_pandas()
    env = state_env()
    for number in range(0, 206, 8):
        episode = rows[rows.episode_index == number]
        random = np.random.RandomState(number)
        places = [random.randint(50, 450), random.randint(50, 450), random.randint(100, 400), random.randint(100, 400)]
        start = [*places, random.randn() * 2 * np.pi - np.pi]
        observation, _ = env.reset(options={"reset_to_state": start})
        places, rewards = [], []
        for action in episode["action"]:
            places.append(observation["agent_pos"])
            observation, reward, *_ = env.step(action)
            rewards.append(reward)
        np.testing.assert_allclose(places, np.stack(episode["observation.state"]), atol=1e-4)
        np.testing.assert_allclose(rewards[:-1], episode["next.reward"][:-1], atol=1e-5)


def test_a_covered_outline_is_solved() -> None:
    """The block on its outline, found through gym-pusht's own order of assignment, and beside it."""
    env = state_env()
    env.reset(seed=0)
    env.block.angle = np.pi / 4
    env.block.position = (256, 256)
    env.agent.position = (500, 500)
    _, reward, terminated, truncated, info = env.step(np.array([500, 500], np.float32))
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["is_success"]
    env.block.position = (270, 256)
    _, reward, terminated, _, info = env.step(np.array([500, 500], np.float32))
    assert 0 < reward < 1
    assert not terminated
    assert not info["is_success"]


def test_an_episode_is_cut_off() -> None:
    env = state_env(episode_length=3)
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(CENTRE)[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]


@pytest.mark.parametrize("fps", [rate for rate in range(1, PHYSICS_HZ + 1) if PHYSICS_HZ % rate == 0])
def test_a_step_takes_its_time(fps: int) -> None:
    """One second of physics is a hundred of its steps, however many actions it is cut into."""
    env = state_env(fps=fps)
    env.reset(seed=4)
    taken: list[float] = []
    env.space.step = taken.append
    for _ in range(fps):
        env.step(CENTRE)
    assert taken == [1 / PHYSICS_HZ] * PHYSICS_HZ
    assert env.metadata["render_fps"] == fps


@pytest.mark.parametrize("action", [[np.nan, 0], [0, np.inf]])
def test_what_is_no_number_is_refused(action: list[float]) -> None:
    env = state_env()
    env.reset(seed=0)
    with pytest.raises(LeRobotError, match="the action of step 0"):
        env.step(np.array(action, np.float32))


def test_a_film_does_not_show_the_episode_before() -> None:
    """The drawn cross is the last action's; at a start there is none."""
    env = PushT()
    env.reset(seed=7)
    first = env.render()
    env.step(np.array([30, 30], np.float32))
    env.reset(seed=7)
    assert np.array_equal(env.render(), first)
    assert first.shape == (384, 384, 3)


def test_sizes_are_those_asked_for() -> None:
    config = PushTConfig(observation_width=80, observation_height=64, visualization_width=128, visualization_height=96)
    env = PushT(config)
    observation, _ = env.reset(seed=0)
    assert observation["pixels"].shape == (64, 80, 3)
    assert env.render().shape == (96, 128, 3)


@pytest.mark.parametrize("disabled", [True, False])
def test_the_checker_looks_at_every_step_when_asked(disabled: bool) -> None:
    """A picture that is no picture passes without gymnasium's checker, and not with it."""
    env = make_env(PushTConfig(obs_type="pixels", disable_env_checker=disabled))
    env.unwrapped.get_obs = lambda: np.zeros(3)
    if disabled:
        env.reset(seed=0)
    else:
        with pytest.raises(UserWarning, match=r"expecting numpy array dtype to be uint8"):
            env.reset(seed=0)


def test_rewards_do_not_depend_on_the_order_of_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block's two shapes are a set to the physics engine, whose order is that of their addresses in memory."""
    runs = []
    for turn in (1, -1):
        monkeypatch.setattr(pymunk.Body, "shapes", property(lambda body, turn=turn: body_shapes(body)[::turn]))
        env = state_env()
        for seed in range(4):
            env.reset(seed=seed)
            wanderer = Wanderer()
            wanderer.start(seed, env.task_description)
            runs.append([env.step(wanderer.act(env.get_obs()))[1] for _ in range(60)])
    assert runs[:4] == runs[4:]


def body_shapes(body: pymunk.Body) -> list[pymunk.Shape]:
    return sorted(body._shapes, key=lambda shape: shape._id)


class Wanderer:
    """Heads for random places; where the agent is decides where it goes, so any difference grows."""

    def start(self, seed: int, task: str) -> None:
        assert task.startswith("Push")
        self.random = np.random.default_rng(seed)

    def act(self, observation: Any) -> np.ndarray:
        towards = observation["environment_state"].reshape(-1, 2).mean(axis=0) - observation["agent_pos"]
        return np.clip(observation["agent_pos"] + towards + self.random.normal(0, 60, 2), 0, 512).astype(np.float32)


def test_batch_sizes_give_identical_episodes() -> None:
    config = PushTConfig(obs_type="environment_state_agent_pos", episode_length=60)
    played = []
    for count in (1, 3, 8):
        with EnvRows(env_maker(config), count) as rows:
            played.append(evaluate(rows, [Wanderer() for _ in range(count)], 9, seed=21))
    assert played[0] == played[1] == played[2]
    assert len({episode.sum_reward for episode in played[0]}) == 9
