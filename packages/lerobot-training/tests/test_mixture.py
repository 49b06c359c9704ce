"""Training on several datasets, and on a stream of one."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from lerobot.core.errors import DatasetError, FeatureMismatchError, LeRobotError
from lerobot.training.batches import StreamedBatches, TrainingBatches, validation_batches
from lerobot.training.config import BatchConfig, DatasetConfig
from lerobot.training.data import Demonstrations, open_dataset

Train, Resume, States = Callable[..., Path], Callable[..., None], Callable[[Path], dict[str, bytes]]
WHOLE = BatchConfig(num_workers=0, batch_size=5)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory, written: Callable[..., Path]) -> Path:
    """A dataset of another arm: its state has another name, and its actions another scale."""
    return written(tmp_path_factory.mktemp("data") / "other", "joints", scale=-1.0)


def opened(dataset: Path, other: Path, **more: object) -> Demonstrations:
    from tiny_policy import TinyConfig

    source = {"repo_id": "test/other", "root": str(other), "feature_map": {"observation.joints": "observation.state"}}
    config = DatasetConfig.model_validate(
        {"repo_id": "test/moves", "root": str(dataset), "mix_with": [{**source, "weight": 3.0}], **more}
    )
    return open_dataset(config, TinyConfig(), WHOLE)


def test_frames_are_drawn_in_proportion_and_have_common_names(dataset: Path, other: Path) -> None:
    data = opened(dataset, other)
    assert data.num_episodes == 10
    counts: Counter[int] = Counter()
    scales = {0: 2.0, 1: -1.0}
    for batch, _ in zip(TrainingBatches(data.training, WHOLE, seed=0), range(200), strict=False):
        counts.update(batch["dataset_index"].tolist())
        factor = torch.tensor([scales[source] for source in batch["dataset_index"].tolist()])
        assert torch.allclose(batch["action"][:, 0], factor[:, None] * batch["observation.state"][:, :2], atol=1e-6)
        assert batch["action"].shape == (5, 4, 2)
        assert batch["action_is_pad"].shape == (5, 4)
    assert counts[1] / counts.total() == pytest.approx(0.75, abs=0.05)


def test_statistics_are_those_of_all_frames(dataset: Path, other: Path) -> None:
    """Computed anew from the rows of both."""
    data = opened(dataset, other)
    rows = [data.training[index] for index in range(len(data.training))]
    actions = torch.stack([row["action"][0] for row in rows]).numpy().astype(np.float64)
    assert data.stats["action"]["mean"] == pytest.approx(actions.mean(0), abs=1e-6)
    assert data.stats["action"]["std"] == pytest.approx(actions.std(0), abs=1e-6)
    assert "observation.joints" not in data.stats


def test_of_every_dataset_some_episodes_are_held_out(dataset: Path, other: Path) -> None:
    data = opened(dataset, other, eval_split=0.3)
    assert data.validation is not None
    held = [
        (source, episode)
        for batch in validation_batches(data.validation, WHOLE, 0, 0, 1)
        for source, episode in zip(batch["dataset_index"].tolist(), batch["episode_index"].tolist(), strict=True)
    ]
    trained = {(row["dataset_index"], int(row["episode_index"])) for row in data.training.__getitems__(range(60))}
    assert {source for source, _ in held} == {0, 1}
    assert not set(held) & trained


def test_what_a_policy_never_learns_from_is_dropped_from_every_dataset(dataset: Path, other: Path) -> None:
    from tiny_policy import TinyConfig

    class Dropping(TinyConfig):
        unlearned_last_frames: ClassVar[int] = 3

    source = {"repo_id": "test/other", "root": str(other), "feature_map": {"observation.joints": "observation.state"}}
    config = DatasetConfig.model_validate({"repo_id": "test/moves", "root": str(dataset), "mix_with": [source]})
    data = open_dataset(config, Dropping(), WHOLE)
    assert len(data.training) == 2 * (75 - 5 * 3)
    assert not any(row["action_is_pad"].any() for row in data.training.__getitems__(range(len(data.training))))


def test_a_mixture_trains_and_goes_on_to_the_same_bits(
    train: Train, resume: Resume, states: States, other: Path, tmp_path: Path
) -> None:
    names = "feature_map: {observation.joints: observation.state}"
    mix = f"[{{repo_id: test/other, root: {other}, {names}}}]"
    run = train(tmp_path / "run", f"--dataset.mix_with={mix}", "--steps=40", "--save_freq=33")
    whole = states(run / "checkpoints/000040")
    resume(run / "checkpoints/000033")
    assert states(run / "checkpoints/000040") == whole


def test_datasets_that_do_not_fit_are_refused(
    dataset: Path, other: Path, written: Callable[..., Path], tmp_path: Path
) -> None:
    from tiny_policy import TinyConfig

    faster = written(tmp_path / "faster", "state", fps=20)
    for root, message in ((faster, "different frames per second"), (tmp_path / "none", "none")):
        mixed = {"repo_id": "test/moves", "root": str(dataset), "mix_with": [{"repo_id": "a/b", "root": str(root)}]}
        with pytest.raises((FeatureMismatchError, DatasetError), match=message):
            open_dataset(DatasetConfig.model_validate(mixed), TinyConfig(), WHOLE)


# --- streams ---------------------------------------------------------------------------------------------------------


def test_a_stream_gives_every_frame_once_per_epoch_from_any_step_on(dataset: Path) -> None:
    from tiny_policy import TinyConfig

    config = DatasetConfig(repo_id="test/moves", root=str(dataset), streaming=True)

    def draw(count: int, start: int = 0) -> list[list[int]]:
        batches = StreamedBatches(open_dataset(config, TinyConfig(), WHOLE, seed=3).training, WHOLE)  # type: ignore[arg-type]
        batches.start_at(start, 5, 1)
        return [batch["index"].tolist() for batch, _ in zip(batches, range(count), strict=False)]

    whole = draw(30)
    assert sorted(index for batch in whole[:15] for index in batch) == list(range(75))
    assert sorted(index for batch in whole[15:] for index in batch) == list(range(75))
    assert whole[:15] != whole[15:]
    assert draw(10, start=18) == whole[18:28]


def test_a_stream_with_other_workers_is_another_order_and_refused(train: Train, resume: Resume, tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--dataset.streaming=true", "--steps=4", "--save_freq=2")
    with pytest.raises(LeRobotError, match="--num_workers=0, now it is 1"):
        resume(run / "checkpoints/000002", "--num_workers=1")
