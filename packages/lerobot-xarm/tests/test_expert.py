"""The cube can be lifted, and then it counts."""

import pytest

from lerobot.xarm.config import XArmConfig
from lerobot.xarm.env import XArm
from lerobot.xarm.expert import Expert

SEEDS = 20


@pytest.fixture(scope="module")
def lifted() -> list[tuple[bool, float, float]]:
    """Of each seed: whether it is solved, the last reward, and how high the cube is, in m."""
    env = XArm(XArmConfig(obs_type="state"))
    found = []
    for seed in range(SEEDS):
        env.reset(seed=seed)
        expert = Expert(env.scene)
        ended = False
        while not ended:
            _, reward, terminated, truncated, info = env.step(expert.act())
            ended = terminated or truncated
        found.append((info["is_success"], reward, env.scene.lifted))
    env.close()
    return found


def test_the_expert_lifts_every_cube(lifted: list[tuple[bool, float, float]]) -> None:
    assert [solved for solved, _, _ in lifted] == [True] * SEEDS


def test_a_lifted_cube_is_rewarded(lifted: list[tuple[bool, float, float]]) -> None:
    """15 cm, and a little for the closed hand at it."""
    assert all(height >= 0.15 for _, _, height in lifted)
    assert all(0.149 < reward < 0.151 for _, reward, _ in lifted)
