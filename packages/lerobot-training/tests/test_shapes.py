"""Whatever is declared trains, or is refused before the first step."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.training.batches import TrainingBatches, to_device
from lerobot.training.config import BatchConfig, DatasetConfig
from lerobot.training.data import open_dataset

Train, Write, Resume = Callable[..., Path], Callable[..., Path], Callable[..., None]


@pytest.fixture(scope="module")
def slider(tmp_path_factory: pytest.TempPathFactory, written: Write) -> Path:
    """A dataset of one joint."""
    return written(tmp_path_factory.mktemp("data") / "slider", "state", shapes=((1,), (1,)))


def test_one_number_is_a_vector_of_one(slider: Path) -> None:
    """Its action is twice its state, so nothing may be spread over anything else."""
    from tiny_policy import TinyConfig

    data = open_dataset(DatasetConfig(repo_id="test/moves", root=str(slider)), TinyConfig(), BatchConfig())
    assert data.numbers == {"observation.state", "action"}
    for size in (1, 2):
        batches = TrainingBatches(data.training, BatchConfig(batch_size=size, num_workers=0), seed=1)
        batch = to_device(next(iter(batches)), torch.device("cpu"), data.cameras, data.numbers)
        assert batch["observation.state"].shape == (size, 1)
        assert batch["action"].shape == (size, 4, 1)
        assert batch["action_is_pad"].shape == (size, 4)
        assert batch["index"].shape == (size,)
        assert torch.equal(batch["action"][:, 0], 2 * batch["observation.state"])


@pytest.mark.parametrize("more", [("--batch_size=1",), ("--batch_size=2", "--dataset.streaming=true")])
def test_an_arm_of_one_joint_trains_validates_and_acts(
    slider: Path, train: Train, tmp_path: Path, more: tuple[str, ...]
) -> None:
    split = ("--dataset.eval_split=0.3", "--eval_steps=2")
    run = train(tmp_path / "run", f"--dataset.root={slider}", "--steps=2", *split, *more)
    trained = PolicyWithProcessors.from_pretrained(run / "checkpoints/last/pretrained_model")
    batch = trained.processors.preprocessor({"observation.state": torch.tensor([[0.5]])})
    assert trained.processors.postprocessor(trained.policy.select_action(batch)).shape == (1, 1)


@pytest.mark.parametrize(
    ("shapes", "named"),
    [
        (((3,), (5, 1)), r"action has the shape \(5, 1\), and policy 'tiny' takes vectors"),
        (((1, 6), (2,)), r"observation.state has the shape \(1, 6\), and policy 'tiny' takes vectors"),
    ],
)
def test_features_of_two_axes_are_refused_before_anything_is_built(
    train: Train, written: Write, tmp_path: Path, shapes: tuple[tuple[int, ...], ...], named: str
) -> None:
    data = written(tmp_path / "data", "state", shapes=shapes)
    with pytest.raises(FeatureMismatchError, match=named):
        train(tmp_path / "run", f"--dataset.root={data}", "--steps=1")
    assert not (tmp_path / "run").exists()


def test_cameras_that_are_not_used_are_named(
    train: Train, written: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A policy learns from what it is told to, and which cameras it does without is said."""
    data = written(tmp_path / "data", "state", camera="image", cameras=("top", "wrist"))
    inputs = (
        "{observation.state: {type: STATE, shape: [3]}, observation.images.top: {type: VISUAL, shape: [3, 16, 16]}}"
    )
    with caplog.at_level(logging.INFO):
        train(tmp_path / "run", f"--dataset.root={data}", "--steps=1", f"--policy.input_features={inputs}")
    assert "cameras used: observation.images.top; not used: observation.images.wrist" in caplog.messages
