"""Recordings of the original ALOHA simulation, published years before: the arms move here as they did there."""

from pathlib import Path

import numpy as np
import pytest

from lerobot.aloha.config import AlohaConfig
from lerobot.datasets.lerobot_dataset import LeRobotDataset

ROOT = Path(__file__).parents[4] / "shared/data/derived_from_v1_v30/aloha_sim_4ep"
FRAMES = 100

pytestmark = [
    pytest.mark.skipif(not ROOT.exists(), reason="../shared is not here"),
    # Scripted demonstrations; those of people start with other grippers.
    pytest.mark.parametrize(("task", "episode"), [("AlohaInsertion-v0", 1), ("AlohaTransferCube-v0", 3)]),
]


def test_recorded_actions_lead_to_recorded_joints(task: str, episode: int) -> None:
    """Before the hands reach the objects, whose places are not recorded, nothing differs."""
    dataset = LeRobotDataset("original/aloha", root=ROOT, episodes=[episode])
    rows = dataset.select_columns(["observation.state", "action"])[:FRAMES]
    env = AlohaConfig(task=task, quality="fast", observation_width=64, observation_height=48).build()
    observation, _ = env.reset(seed=0)
    joints = []
    for action in np.asarray(rows["action"], np.float32):
        joints.append(observation["agent_pos"])
        observation, *_ = env.step(action)
    env.close()
    recorded = np.asarray(rows["observation.state"])
    assert np.ptp(recorded, axis=0).max() > 0.5
    np.testing.assert_allclose(joints, recorded, atol=1e-4)


def test_the_recorded_picture_is_a_full_one(task: str, episode: int) -> None:
    """All but the objects, and what compression makes of edges, looks as recorded; without shadows less does."""
    dataset = LeRobotDataset("original/aloha", root=ROOT, episodes=[episode])
    recorded = 255 * dataset[0]["observation.images.top"].numpy().transpose(1, 2, 0)
    differs = {}
    for quality in ("full", "fast"):
        env = AlohaConfig(task=task, quality=quality).build()
        picture = env.reset(seed=0)[0]["pixels"]["top"]
        env.close()
        differs[quality] = (np.abs(picture - recorded).max(axis=2) > 30).mean()
    assert differs["full"] < 0.012
    assert differs["full"] < differs["fast"]
