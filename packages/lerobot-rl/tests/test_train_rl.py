"""`lerobot train-rl` in one process."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from slope import HelperConfig, config

from lerobot.core.errors import LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.rl.command import train_rl
from lerobot.rl.replay.recording import read_episodes


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert train_rl(config(folder)) == 0
    return folder


def _weights(folder: Path) -> dict[str, Any]:
    files = ("pretrained_model", "algorithm", "training_state/critic", "training_state/actor")
    return {
        f"{part}/{path.name}/{key}": value
        for part in files
        for path in sorted((folder / "checkpoints" / "last" / part).glob("*.safetensors"))
        for key, value in load_file(path).items()
    }


def test_episodes_are_what_happened(whole: Path) -> None:
    episodes = list(read_episodes(LeRobotDataset("replay", whole / "replay")))
    assert sum(map(len, episodes)) >= 60
    for episode in episodes:
        seen = [row.observation["observation.state"][0] for row in episode.transitions]
        after = [*seen[1:], episode.last["observation.state"][0]]
        pushed = [row.action[0] for row in episode.transitions]
        assert np.allclose(after, np.array(seen) + 0.25 * np.array(pushed), atol=1e-6)
        assert np.abs(pushed).max() <= 1, "what is stored is what was sent"
        solved = [value >= 1 for value in after]
        assert [row.success for row in episode.transitions] == solved
        assert [row.reward for row in episode.transitions] == [float(each) for each in solved]
        assert [row.terminal for row in episode.transitions] == solved
        assert solved[-1] or len(episode) == 10
        assert episode.task == "Go up."
    assert len({float(episode.transitions[0].observation["observation.state"][0]) for episode in episodes}) == len(
        episodes
    ), "every episode has a start of its own"


def test_a_resumed_run_is_the_same_to_the_bit(whole: Path, tmp_path: Path) -> None:
    half = {"steps": 25, "warmup_steps": 5, "updates_per_step": 0.5}
    assert train_rl(config(tmp_path / "run", online=half)) == 0
    assert train_rl(config(tmp_path / "run", resume=True)) == 0
    expected, found = _weights(whole), _weights(tmp_path / "run")
    assert len(expected) > 10
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        assert np.array_equal(value, found[key]), key
    assert (whole / "metrics.csv").read_text() == (tmp_path / "run" / "metrics.csv").read_text()


def test_a_person_corrects_and_every_row_says_so(tmp_path: Path) -> None:
    assert train_rl(config(tmp_path / "run", teleop=HelperConfig())) == 0
    episodes = list(read_episodes(LeRobotDataset("replay", tmp_path / "run" / "replay")))
    rows = [row for episode in episodes for row in episode.transitions]
    corrected = [row for row in rows if row.intervention]
    assert 0.2 < len(corrected) / len(rows) < 0.5
    assert all(row.action[0] == 1 for row in corrected)
    assert any(row.action[0] != 1 for row in rows if not row.intervention)


def test_a_new_run_never_mixes_with_another(whole: Path) -> None:
    with pytest.raises(LeRobotError, match="exists already"):
        train_rl(config(whole))
    with pytest.raises(LeRobotError, match="no run"):
        train_rl(config(whole / "elsewhere", resume=True))
