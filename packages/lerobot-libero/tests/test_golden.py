"""The scenes against trajectories that LIBERO's own environment made."""

import json
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
