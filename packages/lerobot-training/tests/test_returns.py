"""Returns: discounted rewards to the end of each episode, the same however frames are drawn."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lerobot.core.errors import DatasetError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.config import PreTrainedConfig
from lerobot.training.config import BatchConfig, DatasetConfig, SourceConfig
from lerobot.training.data import Demonstrations, open_dataset
from lerobot.training.returns import returns_to_go

LENGTHS, DISCOUNT = (4, 3, 5), 0.5
FEATURES = {
    key: {"dtype": "float32", "shape": (size,), "names": None}
    for key, size in (("observation.state", 2), ("action", 2), ("next.reward", 1))
}


class Learner(PreTrainedConfig):
    """Learns from the returns of the action before, this one and the next."""

    target = "tiny_policy:Tiny"
    type: str = "learner"

    @property
    def action_delta_indices(self) -> range:
        return range(-1, 2)

    @property
    def return_discount(self) -> float:
        return DISCOUNT


def write(root: Path, rewards: list[list[float]]) -> Path:
    made = LeRobotDataset.create("test/rewarded", 10, FEATURES, root)
    still = np.zeros(2, np.float32)
    for episode in rewards:
        for reward in episode:
            given = np.array([reward], np.float32)
            made.add_frame({"observation.state": still, "action": still, "next.reward": given, "task": "go"})
        made.save_episode()
    made.finalize()
    return root


@pytest.fixture(scope="module")
def rewards() -> list[list[float]]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=length).tolist() for length in LENGTHS]


@pytest.fixture(scope="module")
def root(rewards: list[list[float]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("rewarded") / "data", rewards)


def summed(rewards: list[list[float]]) -> list[list[float]]:
    """The definition: of each frame, what comes from there on, each step worth half of the one before."""
    return [
        [
            sum(DISCOUNT ** (later - now) * episode[later] for later in range(now, len(episode)))
            for now in range(len(episode))
        ]
        for episode in rewards
    ]


def opened(root: Path, **settings: object) -> Demonstrations:
    return open_dataset(DatasetConfig(repo_id="test/rewarded", root=str(root), **settings), Learner(), BatchConfig())


def test_every_episode_is_summed_for_itself(root: Path, rewards: list[list[float]]) -> None:
    whole = returns_to_go(LeRobotDataset("test/rewarded", root), "next.reward", DISCOUNT)
    assert np.allclose(whole, np.concatenate(summed(rewards)), atol=1e-6)
    some = returns_to_go(LeRobotDataset("test/rewarded", root, [0, 2]), "next.reward", DISCOUNT)
    assert np.allclose(some, np.concatenate([summed(rewards)[0], summed(rewards)[2]]), atol=1e-6)


def test_frames_have_the_standardised_returns_of_their_window(root: Path, rewards: list[list[float]]) -> None:
    found = opened(root).training
    returns = np.concatenate(summed(rewards))
    scaled = (returns - returns.mean()) / returns.std()
    items = found.__getitems__([0, 4, 6, 11])
    # Beyond either end of an episode stands its first or last frame, as for actions.
    expected = scaled[[[0, 0, 1], [4, 4, 5], [5, 6, 6], [10, 11, 11]]]
    given = torch.stack([item["return_to_go"] for item in items])
    assert torch.allclose(given, torch.from_numpy(expected).float(), atol=1e-5)
    assert items[0]["action_is_pad"].tolist() == [True, False, False]


def test_what_is_held_out_is_scaled_as_what_is_trained_on(root: Path, rewards: list[list[float]]) -> None:
    found = opened(root, eval_split=0.2)
    assert found.validation is not None
    returns = summed(rewards)
    trained = np.concatenate(returns[:2])
    wanted = (np.array(returns[2]) - trained.mean()) / trained.std()
    values = [item["return_to_go"][1].item() for item in found.validation.__getitems__(range(LENGTHS[2]))]
    assert np.allclose(values, wanted, atol=1e-5)


def test_a_mixture_has_returns_too(root: Path, tmp_path: Path, rewards: list[list[float]]) -> None:
    """Each dataset's are scaled by its own."""
    other = write(tmp_path / "other", [[2 * reward for reward in episode] for episode in rewards])
    source = SourceConfig(repo_id="test/other", root=str(other))
    found = opened(root, mix_with=[source]).training
    frames = sum(LENGTHS)
    first, second = found.__getitems__([1]), found.__getitems__([1 + frames])
    assert torch.allclose(first[0]["return_to_go"], second[0]["return_to_go"], atol=1e-5)


def test_returns_that_are_all_equal_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing is better than another"):
        opened(write(tmp_path / "data", [[0.0, 0.0], [0.0, 0.0]]))


def test_a_stream_is_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"--dataset\.streaming=false"):
        opened(root, streaming=True)
