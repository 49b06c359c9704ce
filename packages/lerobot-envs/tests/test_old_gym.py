"""Environments whose `step` gives four values, with and without spaces of gymnasium."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import LeRobotError
from lerobot.core.testing import EnvContract
from lerobot.envs.assembly import make_env
from lerobot.envs.config import HubEnvConfig
from lerobot.envs.old_gym import OldGymEnv


class Box:
    """A space of gym, which is not installed here."""

    def __init__(self, low: float, high: float, shape: tuple[int, ...], dtype: type) -> None:
        self.low, self.high = np.full(shape, low, dtype), np.full(shape, high, dtype)
        self.dtype = np.dtype(dtype)


class Dict:
    def __init__(self, **spaces: Any) -> None:
        self.spaces = spaces


class Walk:
    """As a simulator of 2021 has it."""

    metadata = {"video.frames_per_second": 12}

    def __init__(self) -> None:
        self.observation_space = Dict(agent_pos=Box(-99, 99, (1,), np.float32))
        self.action_space = Box(-1, 1, (1,), np.float32)
        self.random = np.random.default_rng()

    def seed(self, seed: int) -> list[int]:
        self.random = np.random.default_rng(seed)
        return [seed]

    def reset(self) -> dict[str, Any]:
        self.place = self.random.uniform(-1, 1, 1).astype(np.float32)
        self.steps = 0
        return {"agent_pos": self.place}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, dict[str, Any]]:
        self.place = (self.place + action).astype(np.float32)
        self.steps += 1
        solved, late = bool(self.place[0] > 2), self.steps == 6
        info = {"success": solved} | ({"TimeLimit.truncated": not solved} if late else {})
        return {"agent_pos": self.place}, float(self.place[0]), solved or late, info

    def render(self, mode: str = "human") -> Any:
        assert mode == "rgb_array"
        return np.zeros((8, 8, 3), np.uint8)

    def close(self) -> None:
        """Nothing to close."""


class WalkConfig(EnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "walk"

    def build(self, **_: Any) -> OldGymEnv:
        return OldGymEnv(Walk(), "Walk to the right.")


class TestOldGym(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture
    def config(self) -> WalkConfig:
        return WalkConfig()


def test_ends_keep_their_meaning() -> None:
    env = WalkConfig().build()
    assert env.metadata["render_fps"] == 12
    assert env.observation_space == gymnasium.spaces.Dict({"agent_pos": gymnasium.spaces.Box(-99, 99, (1,))})
    for action, ends in ((1.0, (True, False, True)), (0.0, (False, True, False))):
        env.reset(seed=1)
        while True:
            _, _, terminated, truncated, info = env.step(np.array([action], np.float32))
            if terminated or truncated:
                break
        assert (terminated, truncated, info["is_success"]) == ends


def test_one_from_a_file_is_adapted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env.py").write_text("import walks\ndef make_env():\n    return walks.Walk()\n")
    monkeypatch.setitem(__import__("sys").modules, "walks", SimpleNamespace(Walk=Walk))
    env = make_env(HubEnvConfig(hub_path=str(tmp_path)), trust_remote_code=True)
    first, _ = env.reset(seed=4)
    assert np.array_equal(env.reset(seed=4)[0]["agent_pos"], first["agent_pos"])
    info: dict[str, Any] = {}
    while not info.get("ended"):
        info = env.step(np.ones(1, np.float32))[4]
    assert info["is_success"]


def test_other_numbers_of_values_are_refused() -> None:
    env = WalkConfig().build()
    env.old.step = lambda action: (0, 1)
    env.reset(seed=0)
    with pytest.raises(LeRobotError, match=r"step of Walk returned tuple"):
        env.step(np.zeros(1, np.float32))


def test_other_spaces_are_refused() -> None:
    walk = Walk()
    walk.action_space = SimpleNamespace()
    with pytest.raises(LeRobotError, match="a space is a SimpleNamespace"):
        OldGymEnv(walk)
