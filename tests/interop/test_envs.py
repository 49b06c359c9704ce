"""Environments step for step beside huggingface/lerobot's: the same seeds and actions, the same episodes.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with its extras `pusht` and `aloha`.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from lerobot.core.config.base import EnvConfig
from lerobot.envs.actor import to_frame
from lerobot.policies.processing.bridge import to_tensor

pytestmark = pytest.mark.peer

RECORDING = Path(__file__).parents[2].parent / "shared/data/pusht_v30_novideo/data/chunk-000/file-000.parquet"

SOLVED = 19
"""A recorded episode that ends solved when its last target is held."""


def wander(seed: int, steps: int) -> list[list[float]]:
    """Places on the table, each near the one before."""
    random = np.random.default_rng(seed)
    return np.clip(256 + np.cumsum(random.normal(0, 50, (steps, 2)), axis=0), 0, 512).astype(np.float32).tolist()


def wave(seed: int, steps: int) -> list[list[float]]:
    rest = np.array([0, -0.96, 1.16, 0, -0.3, 0, 0.1] * 2)
    return (rest + np.random.default_rng(seed).uniform(-0.4, 0.4, (steps, 14))).astype(np.float32).tolist()


def case(kind: str, seed: int, actions: list[list[float]], options: Any = None, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "seed": seed, "actions": actions, "options": options, "fields": fields}


CASES = {
    "pusht pixels": case("pusht", 1000, wander(0, 40)),
    "pusht corners": case("pusht", 7, wander(1, 120), obs_type="environment_state_agent_pos"),
    "pusht cut off": case("pusht", 8, wander(2, 45), obs_type="environment_state_agent_pos", episode_length=40),
    "aloha insertion": case("aloha", 1000, wave(0, 4)),
    "aloha transfer": case("aloha", 3, wave(1, 4), task="AlohaTransferCube-v0"),
}


def demonstration(number: int) -> dict[str, Any]:
    """A recorded episode from its own start, which is the original environment's for its number."""
    rows = pq.read_table(RECORDING, filters=[("episode_index", "=", number)]).to_pandas()
    random = np.random.RandomState(number)
    start = [random.randint(low, high) for low, high in [(50, 450)] * 2 + [(100, 400)] * 2]
    start.append(random.randn() * 2 * np.pi - np.pi)
    actions = np.stack([*rows["action"], *[rows["action"].iloc[-1]] * 5]).tolist()
    return case("pusht", 0, actions, {"reset_to_state": start}, obs_type="environment_state_agent_pos")


@pytest.fixture(scope="module")
def cases() -> dict[str, dict[str, Any]]:
    return {**CASES, "pusht solved": demonstration(SOLVED)} if RECORDING.exists() else CASES


@pytest.fixture(scope="module")
def answers(cases: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON is not set")
    folder = tmp_path_factory.mktemp("peer")
    (folder / "cases.json").write_text(json.dumps(list(cases.values())))
    program = str(Path(__file__).with_name("peer_envs.py"))
    command = [python, "-W", "ignore", program, str(folder / "cases.json"), str(folder / "out.npz")]
    # It draws without a display only when told to.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    with np.load(folder / "out.npz") as found:
        return dict(found)


def play(described: dict[str, Any]) -> dict[str, np.ndarray]:
    config = TypeAdapter(EnvConfig).validate_python({"type": described["type"], **described["fields"]})
    env = config.build()
    observation, _ = env.reset(seed=described["seed"], options=described["options"])
    seen, told = [to_frame(observation, config.features_map)], []
    for action in described["actions"]:
        observation, reward, terminated, truncated, info = env.step(np.array(action, np.float32))
        told.append([reward, terminated, truncated, info["is_success"]])
        if terminated or truncated:
            break
        seen.append(to_frame(observation, config.features_map))
    env.close()
    shown = {key: np.stack([to_tensor(step[key]).numpy() for step in seen]) for key in seen[0]}
    return {**shown, "told": np.array(told, np.float64)}


@pytest.mark.parametrize("name", [*CASES, "pusht solved"])
def test_episodes_are_the_same(name: str, cases: dict[str, dict[str, Any]], answers: dict[str, np.ndarray]) -> None:
    """Names, pictures, states, rewards and ends; where an episode ends, both end it at the same step."""
    if name not in cases:
        pytest.skip("../shared is not here")
    ours = play(cases[name])
    prefix = f"{list(cases).index(name)}/"
    theirs = {key.removeprefix(prefix): value for key, value in answers.items() if key.startswith(prefix)}
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        assert ours[key].shape == value.shape
        # Two builds of the same library round the last bits as they like; a step of a picture's value is 4e-3.
        np.testing.assert_allclose(ours[key], value, atol=1e-6, rtol=1e-6, err_msg=key)
    ends = theirs["told"][-1, 1:].astype(bool).tolist()
    assert ends == {"pusht solved": [True, False, True], "pusht cut off": [False, True, False]}.get(name, [False] * 3)
