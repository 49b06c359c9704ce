"""The scenes against trajectories that LIBERO's own environment made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.libero.config import LiberoConfig
from lerobot.libero.observation import axis_angle

from .conftest import SHARED

FOLDER = SHARED / "golden/envs"

FIVE_STEPS = [
    ("libero_10", 2),
    pytest.param("libero_10", 8, marks=pytest.mark.slow),
    pytest.param("libero_90", 20, marks=pytest.mark.slow),
    pytest.param("libero_90", 86, marks=pytest.mark.slow),
    pytest.param("libero_goal", 3, marks=pytest.mark.slow),
    pytest.param("libero_spatial", 0, marks=pytest.mark.slow),
    pytest.param("libero_object", 0, marks=pytest.mark.slow),
]


def golden(name: str) -> dict[str, Any]:
    path = FOLDER / name
    if not path.exists():
        pytest.skip("../shared is not here")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def compare(env: Any, observation: dict[str, Any], row: dict[str, Any], pictures: str) -> None:
    state = env._scene.sim.get_state().flatten()
    np.testing.assert_allclose(state, row["state"], atol=1e-6)
    expected = [*row["robot0_eef_pos"], *axis_angle(np.array(row["robot0_eef_quat"])), *row["robot0_gripper_qpos"]]
    np.testing.assert_allclose(observation["agent_pos"], expected, atol=2e-6)
    for camera, name in env.config.pictures.items():
        seen = observation["pixels"][name].reshape(-1, 3)
        found = row[pictures][f"{camera}_image"]
        np.testing.assert_allclose(seen.mean(axis=0), found["mean"], atol=3)
        np.testing.assert_allclose(seen.std(axis=0), found["std"], atol=3)


@pytest.mark.parametrize(("suite", "number"), FIVE_STEPS)
def test_it_is_liberos_own(suite: str, number: int, assets: Path) -> None:
    """Fixed actions from the benchmark's first start: state, hand, pictures, rewards."""
    expected = golden(f"{suite}_task{number}_5steps.json")
    config = LiberoConfig(
        task=suite, task_ids=[number], assets=assets, observation_height=128, observation_width=128, quality="fast"
    )
    env = config.build()
    assert env.task_description == expected["language"]
    rows = {str(row["step"]): row for row in expected["rows"]}
    observation, _ = env.reset(seed=0)
    compare(env, observation, rows["waited"], "image_no_shadows")
    for step, action in enumerate(expected["actions"], 1):
        observation, reward, solved, _, _ = env.step(np.array(action, np.float32))
        compare(env, observation, rows[str(step)], "image_no_shadows")
        assert (reward, solved) == (rows[str(step)]["reward"], rows[str(step)]["success"])
    env.close()


@pytest.mark.slow
def test_thirty_steps_are_liberos_own(small: Callable[..., LiberoConfig]) -> None:
    """The hand and the arm of another recording, with the scene put back instead of built anew."""
    expected = golden("libero_90_task20.json")
    env = small("libero_90", 20).build()
    env.reset(seed=7)
    env.step(np.ones(7, np.float32))
    observation, _ = env.reset(seed=0)
    for action, row in zip([None, *expected["actions"]], expected["rows"], strict=True):
        if action is not None:
            observation, *_ = env.step(np.array(action, np.float32))
        turn = axis_angle(np.array(row["robot0_eef_quat"]))
        hand = [*row["robot0_eef_pos"], *turn, *row["robot0_gripper_qpos"]]
        np.testing.assert_allclose(observation["agent_pos"], hand, atol=2e-6)
        measured = env._scene._get_observations()
        np.testing.assert_allclose(measured["robot0_joint_pos"], row["robot0_joint_pos"], atol=1e-6)
    env.close()


@pytest.mark.slow
def test_pictures_are_robosuites_turned(small: Callable[..., LiberoConfig], assets: Path) -> None:
    """Pixel by pixel beside the renderer that LIBERO uses, which gives the lowest row first."""
    env = small("libero_90", 20, quality="full", observation_height=48, observation_width=64).build()
    observation, _ = env.reset(seed=0)
    from robosuite.utils.binding_utils import MjRenderContextOffscreen

    sim = env._scene.sim
    sim.forward()
    renderer = MjRenderContextOffscreen(sim, device_id=-1)
    renderer.vopt.geomgroup[0] = 0
    for camera, name in env.config.pictures.items():
        renderer.render(64, 48, camera_id=sim.model.camera_name2id(camera))
        raw = renderer.read_pixels(64, 48)
        apart = np.abs(observation["pixels"][name].astype(int) - raw[::-1, ::-1].astype(int))
        # Its buffer has another size, which moves the smoothing of a pixel at an edge here and there.
        assert (apart > 2).mean() < 0.005
    renderer.con.free()
    env.close()
