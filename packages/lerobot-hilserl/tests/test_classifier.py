"""The reward classifier: learns from recordings, is saved, and judges."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.errors import CheckpointError, DatasetError, FeatureMismatchError
from lerobot.core.types import FeatureSpec, Observation
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.hilserl.classifier.command import train_reward_classifier
from lerobot.hilserl.classifier.files import TrainedClassifier
from lerobot.hilserl.classifier.network import Classifier
from lerobot.hilserl.classifier_config import ClassifierConfig, ClassifierDetectorConfig, RewardClassifierConfig
from lerobot.hilserl.commands.train_reward_classifier import TrainRewardClassifierConfig
from lerobot.policies.features import FeatureType, PolicyFeature

CAMERA, SIZE = "observation.images.front", 40


def picture(solved: bool, draw: np.random.Generator) -> Any:
    """A bright spot in the upper half if the task is solved, in the lower half otherwise."""
    image = draw.integers(0, 60, (SIZE, SIZE, 3), np.uint8)
    row, column = draw.integers(2, SIZE // 2 - 8), draw.integers(2, SIZE - 8)
    row += 0 if solved else SIZE // 2
    image[row : row + 6, column : column + 6] = 255
    return image


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six episodes; the last three of twelve frames show the task solved."""
    root = tmp_path_factory.mktemp("data") / "spots"
    features = {
        CAMERA: {"dtype": "image", "shape": (SIZE, SIZE, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (1,), "names": ["x"]},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    }
    dataset, draw = LeRobotDataset.create("spots", 10, features, root), np.random.default_rng(0)
    for _ in range(6):
        for number in range(12):
            solved = number >= 9
            row = {CAMERA: picture(solved, draw), "action": np.zeros(1, np.float32), "task": "x"}
            dataset.add_frame({**row, "next.reward": float(solved), "next.done": number == 11})
        dataset.save_episode()
    dataset.finalize()
    return root


def command(recordings: Path, folder: Path, **fields: Any) -> TrainRewardClassifierConfig:
    small = {"hidden_dim": 16, "latent_dim": 16, "image_embedding_pooling_dim": 2, "learning_rate": 3e-3}
    return TrainRewardClassifierConfig.model_validate(
        {
            "dataset": {"repo_id": "spots", "root": str(recordings)},
            "classifier": {"device": "cpu", **small},
            "output_dir": folder,
            "steps": 60,
            "batch_size": 16,
            **fields,
        }
    )


@pytest.fixture(scope="module")
def trained(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier") / "spots"
    result = train_reward_classifier(command(recordings, folder))
    # Guessing the commoner label is right in 75 of 100.
    assert result.accuracy > 0.9
    assert result.recall > 0.8
    return folder


def test_it_judges_as_a_reward_model(trained: Path) -> None:
    model = RewardClassifierConfig(path=str(trained)).build()
    draw = np.random.default_rng(9)
    frames = np.stack([picture(solved, draw) for solved in [True, False] * 20])
    rewards = model.rewards({CAMERA: frames}, "")
    assert (rewards.shape, rewards.dtype) == ((40,), np.float32)
    assert ((rewards >= 0.5) == np.array([True, False] * 20)).mean() > 0.9
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.front"):
        model.rewards({}, "")


class Robot:
    observation_features = {"front": FeatureSpec("uint8", (SIZE, SIZE, 3), ("height", "width", "channels"))}

    def __str__(self) -> str:
        return "arm"


def test_it_detects_success_that_lasts(trained: Path) -> None:
    detector = ClassifierDetectorConfig(path=str(trained), ticks=2).build(robot=Robot())
    draw = np.random.default_rng(4)
    solved, open_ = Observation({"front": picture(True, draw)}), Observation({"front": picture(False, draw)})
    detector.reset()
    assert [detector.is_success(each) for each in (solved, open_, solved, solved)] == [False, False, False, True]
    detector.reset()
    assert not detector.is_success(solved)
    blind = Robot()
    blind.observation_features = {}
    with pytest.raises(FeatureMismatchError, match="front"):
        ClassifierDetectorConfig(path=str(trained)).build(robot=blind)


def test_what_is_loaded_judges_the_same(trained: Path, tmp_path: Path) -> None:
    first = TrainedClassifier.load(trained)
    first.save(tmp_path / "again")
    second = TrainedClassifier.load(tmp_path / "again")
    images = {CAMERA: torch.rand(4, 3, SIZE, SIZE)}
    one, two = (each.network.rewards(each.preprocessor(images)) for each in (first, second))
    assert torch.equal(one, two)
    (tmp_path / "again" / "config.json").write_text('{"type": "act"}')
    with pytest.raises(CheckpointError, match="type"):
        TrainedClassifier.load(tmp_path / "again")


def test_labels_that_say_nothing_are_refused(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureMismatchError, match=r"next\.success"):
        train_reward_classifier(command(recordings, tmp_path / "a", label="next.success"))
    with pytest.raises(DatasetError, match="same"):
        train_reward_classifier(
            command(recordings, tmp_path / "b", label="task_index", dataset={
                "repo_id": "spots", "root": str(recordings), "episodes": [0, 1]
            })
        )  # fmt: skip


def test_pictures_have_to_be_there_and_large_enough() -> None:
    with pytest.raises(FeatureMismatchError, match="0 pictures"):
        Classifier(ClassifierConfig())
    small = {CAMERA: PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 32))}
    with pytest.raises(FeatureMismatchError, match="39 pixels"):
        Classifier(ClassifierConfig(input_features=small))
