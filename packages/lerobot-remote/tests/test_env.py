"""An environment behind the wire plays the same episodes, bit for bit."""

import time
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import DeviceTimeoutError, LeRobotError
from lerobot.core.testing import EnvContract
from lerobot.remote.config import RemoteEnvConfig
from lerobot.remote.device.env import RemoteEnv
from lerobot.remote.host.env import EnvHost
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.spaces import read_space, write_space


class Drift(gymnasium.Env):
    """A point that drifts, with pictures; slow and broken on demand."""

    metadata = {"render_fps": 20, "render_modes": ["rgb_array"]}
    task_description = "Keep the point in the middle."
    render_mode = "rgb_array"

    def __init__(self, config: Any = None) -> None:
        self.observation_space = spaces.Dict(
            {
                "pixels": spaces.Dict({"top": spaces.Box(0, 255, (8, 8, 3), np.uint8)}),
                "agent_pos": spaces.Box(-100, 100, (2,), np.float64),
            }
        )
        self.action_space = spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._position = self.np_random.normal(size=2)
        return self._seen(), {"is_success": False}

    def step(self, action):
        if action[0] == 1:
            raise ValueError("the simulation diverged")
        if action[1] == 1:
            time.sleep(0.5)
        self._position = self._position + action + 0.1 * self.np_random.normal(size=2)
        solved = bool(np.linalg.norm(self._position) < 0.1)
        return self._seen(), -float(np.linalg.norm(self._position)), solved, False, {"is_success": solved, "odd": {1}}

    def render(self):
        return np.full((16, 16, 3), 7, np.uint8)

    def _seen(self):
        top = np.full((8, 8, 3), int(abs(self._position[0]) * 50) % 256, np.uint8)
        return {"pixels": {"top": top}, "agent_pos": self._position.copy()}


class DriftConfig(EnvConfig):
    target = f"{__name__}:Drift"
    type: str = "drift"

    def build(self, **_: Any) -> Drift:
        return Drift()


@pytest.fixture
def address(serve) -> str:
    return serve(EnvHost(DriftConfig())).address


class TestRemoteEnv(EnvContract):
    capabilities = {"gymnasium"}

    @pytest.fixture
    def config(self, address: str) -> RemoteEnvConfig:
        return RemoteEnvConfig(address=address)


def test_it_plays_what_the_environment_itself_plays(address: str) -> None:
    here, there = Drift(), RemoteEnv(RemoteEnvConfig(address=address))
    assert there.observation_space == here.observation_space
    assert there.action_space == here.action_space
    assert list(there.observation_space.spaces) == list(here.observation_space.spaces)
    assert there.task_description == here.task_description
    assert there.metadata["render_fps"] == 20
    random = np.random.default_rng(0)
    pairs = [(here.reset(seed=3), there.reset(seed=3))]
    for _ in range(5):
        action = random.uniform(-0.9, 0.9, 2).astype(np.float32)
        pairs.append((here.step(action), there.step(action)))
    for expected, found in pairs:
        assert found[0]["agent_pos"].tobytes() == expected[0]["agent_pos"].tobytes()
        assert (found[0]["pixels"]["top"] == expected[0]["pixels"]["top"]).all()
        assert found[1:-1] == expected[1:-1]
        assert found[-1]["is_success"] == expected[-1]["is_success"]
        assert "odd" not in found[-1]
    there.close()


def test_clients_play_their_own_episodes(address: str) -> None:
    with_seeds = [(RemoteEnv(RemoteEnvConfig(address=address)), seed) for seed in (1, 2)]
    starts = [env.reset(seed=seed)[0]["agent_pos"] for env, seed in with_seeds]
    again = [env.reset(seed=seed)[0]["agent_pos"] for env, seed in reversed(with_seeds)]
    assert (starts[0] == again[1]).all()
    assert (starts[1] == again[0]).all()
    for env, _ in with_seeds:
        env.close()


def test_a_broken_simulation_is_told(address: str, caplog) -> None:
    env = RemoteEnv(RemoteEnvConfig(address=address))
    env.reset(seed=0)
    with pytest.raises(LeRobotError, match="ValueError: the simulation diverged"):
        env.step(np.array([1, 0], np.float32))
    env.close()


def test_a_late_answer_is_never_taken_for_the_next_one(address: str) -> None:
    env = RemoteEnv(RemoteEnvConfig(address=address, reply_timeout_s=0.1))
    env.reset(seed=0)
    with pytest.raises(DeviceTimeoutError, match="did not answer within"):
        env.step(np.array([0, 1], np.float32))
    with pytest.raises(LeRobotError, match="is gone"):
        env.step(np.array([0, 0], np.float32))
    env.close()


@pytest.mark.parametrize("action", [np.array([5, 5], np.float32), np.zeros(3, np.float32), "left", None])
def test_what_is_no_action_is_refused(address: str, action: Any) -> None:
    env = RemoteEnv(RemoteEnvConfig(address=address))
    env.reset(seed=0)
    with pytest.raises(LeRobotError, match="an action is"):
        env.step(action)
    env.close()


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(4, start=-1),
        spaces.MultiBinary(3),
        spaces.MultiDiscrete([2, 5]),
        spaces.Box(np.array([-1.0, -2.0]), np.array([1.0, np.inf]), dtype=np.float64),
        spaces.Dict({"b": spaces.Discrete(2), "a": spaces.Box(0, 1, (2, 2))}),
    ],
)
def test_spaces_come_back(space: gymnasium.Space) -> None:
    assert read_space(write_space(space)) == space


@pytest.mark.parametrize(
    "plain", [None, {}, {"box": [2], "dtype": "O", "low": 0, "high": 1}, {"discrete": -1, "start": 0}]
)
def test_what_is_no_space_is_refused(plain: Any) -> None:
    with pytest.raises(WireError):
        read_space(plain)


def test_a_space_that_is_not_sent_is_said() -> None:
    with pytest.raises(WireError, match="Text"):
        write_space(spaces.Text(3))
