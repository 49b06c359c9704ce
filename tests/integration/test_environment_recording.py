"""Meta-World is recorded by the ordinary command, with its expert as the person."""

import json
from pathlib import Path

import numpy as np
import pytest

from lerobot.datasets.commands.record import DatasetRecordConfig, RecordConfig
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.record.command import record
from lerobot.envs.config import EnvRobotConfig
from lerobot.metaworld.config import MetaworldConfig, MetaworldExpertConfig
from lerobot.metaworld.env import Metaworld
from lerobot.metaworld.expert import Expert

STATES = MetaworldConfig(task="reach-v3", obs_type="environment_state_agent_pos")
SEED = 100_000


def recording(root: Path, env: MetaworldConfig, **dataset: object) -> RecordConfig:
    usual = {"repo_id": "me/reach", "root": root, "fps": 80, "num_episodes": 2, "reset_time_s": 0, "no_stamp": True}
    return RecordConfig(
        robot=EnvRobotConfig(env=env, realtime=False),
        teleop=MetaworldExpertConfig(),
        dataset=DatasetRecordConfig(**{**usual, **dataset}),
        play_sounds=False,
    )


def test_rows_are_what_the_expert_saw_and_did_and_what_came_of_it(tmp_path: Path) -> None:
    """To the last bit what playing without a recorder gives; the recorder's lead-in leaves no trace."""
    assert record(recording(tmp_path / "set", STATES)) == 0
    dataset = LeRobotDataset("me/reach", root=tmp_path / "set")
    env, index = Metaworld(STATES), 0
    for episode in (0, 1):
        seen, _ = env.reset(seed=SEED + episode)
        expert, solved = Expert("reach-v3"), False
        while not solved:
            action, row = expert.act(env.state), dataset[index]
            assert row["episode_index"] == episode
            np.testing.assert_array_equal(row["observation.state"], seen["agent_pos"].astype(np.float32))
            np.testing.assert_array_equal(
                row["observation.environment_state"], seen["environment_state"].astype(np.float32)
            )
            np.testing.assert_array_equal(row["action"], action)
            seen, reward, solved, _, _ = env.step(action)
            assert row["next.reward"] == np.float32(reward)
            assert (row["next.done"], row["next.success"], row["outcome"]) == (solved, solved, "success")
            index += 1
    assert len(dataset) == index
    assert dataset[0]["task"] == "Reach a goal position"
    env.close()


def test_an_episode_that_is_cut_off_is_a_failure_and_pictures_have_the_names_of_eval(tmp_path: Path) -> None:
    small = {"observation_width": 64, "observation_height": 48, "quality": "fast"}
    env = MetaworldConfig(task="reach-v3", episode_length=6, **small)
    assert record(recording(tmp_path / "set", env, num_episodes=1)) == 0
    features = json.loads((tmp_path / "set/meta/info.json").read_text(encoding="utf-8"))["features"]
    assert features["observation.image"]["shape"] == [48, 64, 3]
    dataset = LeRobotDataset("me/reach", root=tmp_path / "set")
    assert [bool(row["next.done"]) for row in dataset] == [False] * 5 + [True]
    assert {row["outcome"] for row in dataset} == {"failure"}
    with_eyes = Metaworld(env)
    first, _ = with_eyes.reset(seed=SEED)
    shown = dataset[0]["observation.image"].permute(1, 2, 0).numpy() * 255
    wrong = np.abs(shown - first["pixels"][::-1]).mean()
    assert np.abs(shown - first["pixels"]).mean() < wrong / 3, "compressed, and the right way up"
    with_eyes.close()


def test_another_rate_than_the_benchmarks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="takes 80 commands a second, and 30 were asked for"):
        record(recording(tmp_path / "set", STATES, fps=30))
    assert not (tmp_path / "set").exists()
