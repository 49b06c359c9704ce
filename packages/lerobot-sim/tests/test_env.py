"""The environments share the robot's world."""

import numpy as np
import pytest

from lerobot.sim.config import SimCameraConfig, SimEnvConfig, SimSO101Config
from lerobot.sim.env import SimEnv
from lerobot.sim.expert import Expert
from lerobot.sim.joints import KEYS, to_units
from lerobot.sim.robot import SimSO101

SIZE = {"width": 64, "height": 48}


def test_what_a_robot_records_is_what_the_environment_shows() -> None:
    """The same commands give the same readings and pictures, to the last bit: a policy cannot tell them apart."""
    robot = SimSO101(
        SimSO101Config(
            task="place",
            seed=5,
            episode=2,
            realtime=False,
            renderer="painter",
            cameras={"front": SimCameraConfig(fps=30, **SIZE)},
        )
    )
    env = SimEnv(SimEnvConfig(task="place", cameras=("front",), renderer="painter", **SIZE))
    seen, _ = env.reset(seed=5, options={"episode": 2})
    with robot:
        expert = Expert(robot.world)
        for _ in range(90):
            measured = robot.get_observation()
            assert np.array_equal(seen["agent_pos"], np.array([measured[key] for key in KEYS], np.float32))
            assert np.array_equal(seen["pixels"]["front"], measured["front"])
            # A dataset keeps actions as float32.
            action = np.array(list(to_units(expert.command()).values()), np.float32)
            robot.send_action(dict(zip(KEYS, action, strict=True)))
            seen, *_ = env.step(action)
    env.close()


@pytest.mark.parametrize(("task", "names"), [("reach", ["ball"]), ("place", ["cube", "goal"])])
def test_where_the_objects_are(task: str, names: list[str]) -> None:
    env = SimEnv(SimEnvConfig(task=task, cameras=(), objects=True))
    seen, _ = env.reset(seed=3)
    assert sorted(env.world.objects) == names
    places = [env.world.position(name) for name in env.world.objects]
    assert np.array_equal(seen["environment_state"], np.concatenate(places).astype(np.float32))
    assert env.observation_space.contains(seen)
    assert "environment_state" not in SimEnv(SimEnvConfig(task=task, cameras=())).reset(seed=3)[0]


def test_a_sparse_reward_is_that_of_success() -> None:
    env = SimEnv(SimEnvConfig(task="reach", cameras=(), reward="sparse"))
    env.reset(seed=0)
    expert, rewards = Expert(env.world), []
    while sum(rewards) == 0.0:
        assert len(rewards) < 60
        rewards.append(env.step(np.array(list(to_units(expert.command()).values()), np.float32))[1])
    assert rewards == [0.0] * (len(rewards) - 1) + [1.0]


def test_episodes_are_numbered_on() -> None:
    env = SimEnv(SimEnvConfig(task="reach", cameras=()))
    numbers = [env.reset(seed=3)[1]["episode"], env.reset()[1]["episode"], env.reset()[1]["episode"]]
    second = env.world.position("ball")
    assert numbers == [0, 1, 2]
    env.reset(seed=9)
    info = env.reset(seed=3, options={"episode": 2})[1]
    assert (info["seed"], info["episode"]) == (3, 2)
    assert np.array_equal(env.world.position("ball"), second)


def test_an_episode_ends_when_solved() -> None:
    env = SimEnv(SimEnvConfig(task="reach", cameras=()))
    env.reset(seed=0)
    expert, rewards = Expert(env.world), []
    for _ in range(60):
        action = np.array(list(to_units(expert.command()).values()), np.float32)
        _, reward, terminated, truncated, info = env.step(action)
        rewards.append(reward)
        if terminated:
            break
    assert terminated
    assert not truncated
    assert info["is_success"] is True
    assert rewards[-1] == 1.0 > rewards[0]


def test_an_episode_is_cut_off() -> None:
    env = SimEnv(SimEnvConfig(task="lift", cameras=(), episode_length=3))
    start = env.reset(seed=0)[0]["agent_pos"]
    ends = [env.step(start)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


@pytest.mark.parametrize("fps", [15, 30, 50, 7])
def test_steps_take_their_time(fps: int) -> None:
    env = SimEnv(SimEnvConfig(task="lift", cameras=(), fps=fps))
    start = env.reset(seed=0)[0]["agent_pos"]
    for _ in range(2 * fps):
        env.step(start)
    assert env.world.elapsed_s == pytest.approx(2.0, abs=1e-3)
    assert env.metadata["render_fps"] == fps


def test_the_first_camera_is_rendered() -> None:
    env = SimEnv(SimEnvConfig(task="lift", cameras=("top", "front"), renderer="painter", **SIZE))
    seen, _ = env.reset(seed=0)
    assert np.array_equal(env.render(), seen["pixels"]["top"])
    assert SimEnv(render_mode=None).render() is None
    assert SimEnv(SimEnvConfig(cameras=(), **SIZE)).render().shape == (48, 64, 3)


def test_cameras_are_named_once() -> None:
    with pytest.raises(ValueError, match="each camera once"):
        SimEnvConfig(cameras=("front", "front"))


def test_films_may_be_larger_than_what_the_policy_sees() -> None:
    env = SimEnv(SimEnvConfig(task="reach", width=32, height=24, render_width=96, render_height=64, renderer="painter"))
    seen, _ = env.reset(seed=1)
    assert seen["pixels"]["front"].shape == (24, 32, 3)
    assert env.render().shape == (64, 96, 3)
    env.close()
