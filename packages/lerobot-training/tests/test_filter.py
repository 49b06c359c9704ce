"""Frames that are drawn: those of good episodes, or in which a person intervened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError
from lerobot.core.registry import registry
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.training.batches import TrainingBatches
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import BatchConfig, DatasetConfig, SourceConfig
from lerobot.training.data import Demonstrations, open_dataset

OUTCOMES = ("success", "failure", "success", "failure", "success")
LENGTH = 6


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five episodes of one task; a person acts in the third and fourth frame of every other one."""
    root = tmp_path_factory.mktemp("labelled") / "data"
    number = {"dtype": "float32", "shape": (3,), "names": None}
    features: dict[str, Any] = {
        "observation.state": number,
        "action": {**number, "shape": (2,)},
        "outcome": {"dtype": "string", "shape": (1,), "names": None},
        "intervention": {"dtype": "bool", "shape": (1,), "names": None},
    }
    made = LeRobotDataset.create("test/labelled", 10, features, root)
    for episode, outcome in enumerate(OUTCOMES):
        for frame in range(LENGTH):
            made.add_frame(
                {
                    "observation.state": np.array([episode, frame, 0], np.float32),
                    "action": np.zeros(2, np.float32),
                    "outcome": outcome,
                    "intervention": np.array([episode % 2 == 0 and frame in (2, 3)]),
                    "task": "go",
                }
            )
        made.save_episode()
    made.finalize()
    return root


def opened(root: Path, **settings: Any) -> Demonstrations:
    policy = registry.config_class("policy", "tiny")()
    return open_dataset(DatasetConfig(repo_id="test/labelled", root=str(root), **settings), policy, BatchConfig())


def drawn(found: Demonstrations) -> set[tuple[int, int]]:
    """Episode and frame of everything that an epoch draws."""
    batches = TrainingBatches(found.training, BatchConfig(num_workers=0, batch_size=2), seed=0, kept=found.kept)
    epoch = iter(batches)
    taken = [next(epoch)["observation.state"] for _ in range(-(-batches.frames_per_epoch // 2))]
    return {(int(state[0]), int(state[1])) for batch in taken for state in batch.reshape(-1, 3)}


SUCCESSES = {(episode, frame) for episode in (0, 2, 4) for frame in range(LENGTH)}
INTERVENED = {(episode, frame) for episode in (0, 2, 4) for frame in (2, 3)}


@pytest.mark.parametrize(
    ("conditions", "expected", "episodes"),
    [
        ("outcome == success", SUCCESSES, 3),
        ("intervention == true", INTERVENED, 3),
        ("any(intervention) == true", SUCCESSES, 3),
        (
            ["outcome == success", "observation.state[1] < 2", "observation.state[0] < 3"],
            {(0, 0), (0, 1), (2, 0), (2, 1)},
            2,
        ),
    ],
)
def test_what_meets_the_conditions_is_drawn(labelled: Path, conditions: Any, expected: Any, episodes: int) -> None:
    found = opened(labelled, filter=conditions)
    assert drawn(found) == expected
    assert (found.num_frames, found.num_episodes) == (len(expected), episodes)


def test_all_is_drawn_without_conditions(labelled: Path) -> None:
    assert len(drawn(opened(labelled))) == 5 * LENGTH


def test_chosen_episodes_are_filtered_further(labelled: Path) -> None:
    found = opened(labelled, filter="outcome == success", episodes=[1, 2, 3])
    assert drawn(found) == {(2, frame) for frame in range(LENGTH)}


def test_what_is_held_out_meets_them_too(labelled: Path) -> None:
    found = opened(labelled, filter="intervention == true", eval_split=0.2)
    assert found.validation is not None
    states = [item["observation.state"].reshape(-1, 3)[0].tolist() for item in found.validation.__getitems__([0, 1])]
    assert len(found.validation) == 2
    assert states == [[4, 2, 0], [4, 3, 0]]


def test_a_mixture_filters_each_of_its_datasets(labelled: Path) -> None:
    other = SourceConfig(repo_id="test/labelled", root=str(labelled), filter="intervention == true")
    found = opened(labelled, filter="outcome == failure", mix_with=[other])
    assert len(found.training) == 2 * LENGTH + len(INTERVENED)
    assert found.num_episodes == 5


def test_conditions_that_nothing_meets_are_refused(labelled: Path) -> None:
    with pytest.raises(DatasetError, match="no frame of 5 episodes of test/labelled meets outcome == unknown"):
        opened(labelled, filter="outcome == unknown")
    with pytest.raises(DatasetError, match="no frame of 1 episodes"):
        opened(labelled, filter="observation.state[0] < 2", eval_split=0.2)


def test_a_stream_is_refused(arguments: Callable[..., list[str]], tmp_path: Path) -> None:
    flags = arguments(tmp_path, "--dataset.streaming=true", "--dataset.filter=outcome == success")
    with pytest.raises(ConfigError, match="no filter while streaming"):
        load(TrainPipelineConfig, flags)


def test_the_command_trains_on_them(train: Callable[..., Path], labelled: Path, tmp_path: Path) -> None:
    """And a run that goes on has the filter of the one before."""
    flags = (f"--dataset.root={labelled}", "--dataset.filter=[outcome == success, intervention == true]", "--steps=3")
    run = train(tmp_path / "run", *flags)
    saved = (run / "checkpoints/last/pretrained_model/train_config.json").read_text()
    assert "intervention == true" in saved
