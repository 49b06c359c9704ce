"""Datasets that call their features otherwise: trained on under the names a policy has for them, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.lerobot_dataset import LeRobotDataset

Train = Callable[..., Path]
RENAMED = "--rename_map={state: observation.state, actions: action}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frames of the dataset that others train on, with the names of openpi."""
    root = tmp_path_factory.mktemp("data") / "plain"
    features: dict[str, Any] = {
        key: {"dtype": "float32", "shape": shape, "names": None} for key, shape in (("state", (3,)), ("actions", (2,)))
    }
    made = LeRobotDataset.create("test/moves", 10, features, root)
    rng = np.random.default_rng(0)
    for episode in range(5):
        for _ in range(13 + episode):
            state = rng.normal(size=3).astype(np.float32)
            made.add_frame({"state": state, "actions": state[:2] * np.float32(2.0), "task": f"task {episode % 2}"})
        made.save_episode()
    made.finalize()
    return root


@pytest.mark.parametrize("more", [(), ("--dataset.streaming=true",), ("--dataset.eval_split=0.2", "--eval_steps=2")])
def test_renamed_features_train_to_the_same_weights(
    train: Train, plain: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    runs = [
        train(tmp_path / "named", "--steps=2", *more),
        train(tmp_path / "plain", "--steps=2", *more, f"--dataset.root={plain}", RENAMED),
    ]
    weights = [load_file(run / "checkpoints/last/pretrained_model/model.safetensors") for run in runs]
    assert weights[0].keys() == weights[1].keys()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_whole_renaming_is_said(train: Train, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureMismatchError, match="action is missing, and there is actions") as refused:
        train(tmp_path / "run", "--steps=1", f"--dataset.root={plain}")
    assert "--rename_map='{actions: action, state: observation.state}'" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_renaming_of_what_is_not_there_is_refused(train: Train, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureMismatchError, match="--rename_map names stat"):
        train(tmp_path / "run", "--steps=1", f"--dataset.root={plain}", "--rename_map={stat: observation.state}")
