"""gym-xarm 0.1.1, recorded: its own trajectories on today's MuJoCo, and how far that of its day is away."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from lerobot.xarm.config import XArmConfig
from lerobot.xarm.env import XArm

GOLDEN = Path(__file__).parents[4] / "shared/data/golden/envs"

DRIFT = 0.013
"""How far apart places are between the two recordings, at most, in m; the hand's speed may differ more."""

SPEED = slice(3, 6)
"""The hand's speed in a state."""

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="../shared is not here")


@pytest.fixture
def reference() -> Iterator[XArm]:
    env = XArm(XArmConfig(obs_type="state", reference=True))
    yield env
    env.close()


def recorded(version: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"xarm_mujoco{version}.json").read_text())


def play(env: XArm, seed: int, actions: list[list[float]]) -> tuple[np.ndarray, list[float]]:
    states, rewards = [env.reset(seed=seed)[0]], []
    for action in actions:
        state, reward, *_ = env.step(np.array(action, np.float32))
        states.append(state)
        rewards.append(reward)
    return np.array(states), rewards


def test_it_repeats_the_recorded_trajectories(reference: XArm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second was recorded after the first, whose last force and solution gym-xarm carries over."""
    golden = recorded("381")
    start = reference.scene.data.qpos.copy()
    for episode in golden["episodes"]:
        states, rewards = play(reference, episode["seed"], golden["actions"])
        np.testing.assert_allclose(states, episode["obs"], atol=1e-8)
        np.testing.assert_allclose(rewards, episode["reward"], atol=1e-8)

        def carry_over(model: Any, data: Any) -> None:
            data.time, data.qpos[:], data.qvel[:] = 0, start, 0
            mujoco.mj_kinematics(model, data)

        monkeypatch.setattr(mujoco, "mj_resetData", carry_over)
        monkeypatch.setattr("lerobot.xarm.scene.mujoco.mj_forward", _forward_of_steps(mujoco.mj_forward))


def _forward_of_steps(forward: Any) -> Any:
    """The old package computes nothing between putting things back and placing them: the first call of an episode."""

    def call(model: Any, data: Any) -> None:
        if data.time:
            forward(model, data)

    return call


def test_the_mujoco_of_its_day_is_near(reference: XArm) -> None:
    golden = recorded("237")
    states, rewards = play(reference, 0, golden["actions"])
    differs = np.abs(states - golden["episodes"][0]["obs"]).max(axis=0)
    assert np.delete(differs, SPEED).max() < DRIFT
    assert differs[SPEED].max() < 0.018
    np.testing.assert_allclose(rewards, golden["episodes"][0]["reward"], atol=1e-4)


def test_success_cannot_happen_there(reference: XArm) -> None:
    """The first defect: the cube hangs half a metre above the table."""
    reference.reset(seed=0)
    scene = reference.scene
    scene.data.qpos[scene._cube + 2] += 0.47
    _, reward, terminated, _, info = reference.step(np.zeros(4, np.float32))
    assert scene.lifted > 0.45
    assert (terminated, info["is_success"]) == (False, False)
    assert reward < 0


def test_the_hand_hardly_moves_there() -> None:
    """The second defect, in m of the first step along x."""
    ways = []
    for fixed in (True, False):
        env = XArm(XArmConfig(obs_type="state", reference=fixed))
        env.reset(seed=0)
        before = env.scene.hand
        env.step(np.array([1, 0, 0, 0], np.float32))
        ways.append(env.scene.hand[0] - before[0])
        env.close()
    assert ways[0] < 0.002
    assert 0.02 < ways[1] < 0.09


def test_places_are_those_of_the_recordings() -> None:
    """The third defect: `lerobot/xarm_lift_medium` has hands such as (1.31, 0.296, 0.544)."""
    seen = []
    for fixed in (True, False):
        env = XArm(XArmConfig(reference=fixed))
        seen.append(env.reset(seed=0)[0]["agent_pos"])
        env.close()
    np.testing.assert_allclose(seen[1][:3], [1.29, 0.28, 0.6], atol=0.06)
    np.testing.assert_allclose(seen[1][:3] - seen[0][:3], [3.31, 0.6, 1.2725], atol=0.02)
