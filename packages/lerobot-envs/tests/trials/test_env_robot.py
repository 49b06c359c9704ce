"""An environment as the robot: the evaluation on it counts what the one in the environment counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

from lerobot.core.config.base import EnvConfig
from lerobot.core.registry import registry


class Walk(gymnasium.Env[dict[str, Any], np.ndarray]):
    """Six joints that go a tenth of the way to what is commanded; over after 20 steps, solved if they are there."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 50}
    action_space = gymnasium.spaces.Box(-20, 20, (6,), np.float32)
    observation_space = gymnasium.spaces.Dict({"agent_pos": gymnasium.spaces.Box(-np.inf, np.inf, (6,), np.float32)})

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.steps = self.np_random.uniform(-10, 10, 6), 0
        return {"agent_pos": self.x.astype(np.float32)}, {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.x, self.steps = self.x + 0.1 * (action - self.x), self.steps + 1
        solved = bool((np.abs(self.x - 10) < 2.2).all())
        return {"agent_pos": self.x.astype(np.float32)}, 0.0, solved, self.steps == 20, {"is_success": solved}


class WalkConfig(EnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "walk"

    def build(self, **_: Any) -> Walk:
        return Walk()


@pytest.fixture(autouse=True)
def walk() -> Iterator[None]:
    with registry.temporary():
        registry.register("env", "walk", WalkConfig)
        yield


def played(seed: int) -> tuple[bool, int]:
    """What becomes of an episode in which every joint is always commanded to 10."""
    env = Walk()
    env.reset(seed=seed)
    while True:
        _, _, solved, over, _ = env.step(np.full(6, 10.0))
        if solved or over:
            return solved, env.steps


@pytest.mark.parametrize("judge", ["--detector.type=scene", "--control_file={folder}/control"])
def test_it_judges_itself(evaluate: Any, tmp_path: Path, judge: str) -> None:
    """Episodes that fail end when the environment's do, long before the time is over; nobody else needs to judge."""
    robot = ["--robot.type=env", "--robot.env.type=walk", "--robot.seed=1000", "--robot.realtime=false"]
    found = evaluate(*robot, "--safety.enabled=false", "--eval.n_episodes=6", judge.format(folder=tmp_path))
    metrics = found["per_task"][0]["metrics"]
    expected = [played(1000 + index) for index in range(6)]
    assert {solved for solved, _ in expected} == {True, False}
    assert list(zip(metrics["successes"], metrics["steps"], strict=True)) == expected
