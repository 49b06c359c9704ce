"""Episodes, pictures and saved configurations."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import LeRobotError
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env
from lerobot.envs.testing import assert_same_episodes
from lerobot.xarm.config import XArmConfig
from lerobot.xarm.env import XArm

STAY = np.zeros(4, np.float32)


def test_a_saved_configuration_of_the_peer_is_read() -> None:
    """Of huggingface/lerobot when it had the environment; gymnasium's name of the task is taken too."""
    saved = {
        "type": "xarm",
        "task": "gym_xarm/XarmLift-v0",
        "fps": 15,
        "features": {"action": {"type": "ACTION", "shape": [4]}},
        "features_map": {"action": "action", "agent_pos": "observation.state", "pixels": "observation.image"},
        "episode_length": 200,
        "obs_type": "pixels_agent_pos",
        "render_mode": "rgb_array",
        "visualization_width": 384,
        "visualization_height": 384,
    }
    assert TypeAdapter(EnvConfig).validate_python(saved).task == "XarmLift-v0"


def test_policies_see_what_they_know() -> None:
    for obs_type, names in (
        ("pixels_agent_pos", {"observation.image", "observation.state"}),
        ("pixels", {"observation.image"}),
        ("state", {"observation.state"}),
    ):
        config = XArmConfig(obs_type=obs_type)
        env = make_env(config)
        found = provided_features(env.observation_space, env.action_space, config.features_map)
        assert set(found) == {*names, "action"}
        env.close()


def test_an_episode_is_cut_off() -> None:
    env = XArm(XArmConfig(obs_type="state", episode_length=2))
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(STAY)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    env.close()


def test_what_is_no_number_is_refused() -> None:
    env = XArm(XArmConfig(obs_type="state"))
    env.reset(seed=0)
    with pytest.raises(LeRobotError, match="the action of step 0"):
        env.step(np.full(4, np.nan, np.float32))


def test_an_action_out_of_range_goes_to_its_end() -> None:
    env = XArm(XArmConfig(obs_type="state"))
    states = []
    for size in (1, 7):
        env.reset(seed=0)
        states.append(env.step(np.array([size, -size, size, size], np.float32))[0])
    assert np.array_equal(states[0], states[1])


def test_the_hand_turns_back_at_the_edge() -> None:
    """Ten steps away from the robot would be half a metre and more."""
    env = XArm(XArmConfig(obs_type="state"))
    env.reset(seed=0)
    for _ in range(30):
        env.step(np.array([1, 0, 0, 0], np.float32))
    assert 1.65 < env.scene.hand[0] < 1.8


def test_films_and_observations_have_their_own_sizes() -> None:
    env = XArm(XArmConfig(observation_width=96, visualization_height=200))
    observation, _ = env.reset(seed=0)
    assert env.render().shape == (200, 384, 3)
    assert observation["pixels"].shape == (84, 96, 3)
    assert np.ptp(observation["pixels"]) > 100
    env.close()


@pytest.mark.parametrize("others", [[(3, False)], pytest.param([(2, True)], marks=pytest.mark.slow)])
def test_batch_sizes_and_workers_give_identical_episodes(others: list[tuple[int, bool]]) -> None:
    assert_same_episodes(XArmConfig(episode_length=4), "Lift the cube.", rows=[(1, False), *others])
