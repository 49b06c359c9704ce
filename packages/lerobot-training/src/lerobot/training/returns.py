"""What came of each action: discounted rewards to the end of its episode, computed once for a whole dataset."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.subset import Item
from lerobot.datasets.format.features import FeatureMap
from lerobot.policies.features import RETURN, REWARD


def returns_to_go(dataset: FrameDataset, column: str, discount: float) -> NDArray[np.float64]:
    """Discounted rewards from each frame of the chosen episodes on, `(frames,)`.

    Args:
        dataset: the frames.
        column: of rewards.
        discount: worth of a reward one step later.
    """
    rewards = dataset.reader.numbers.fetch({column: dataset.positions(np.arange(len(dataset)))})[column]
    returns = rewards.astype(np.float64).reshape(len(dataset)).copy()
    for start, stop in zip(*dataset.episode_bounds, strict=True):
        for frame in range(int(stop) - 2, int(start) - 1, -1):
            returns[frame] += discount * returns[frame + 1]
    return returns


class WithReturns:
    """A dataset whose frames have `return_to_go` too, `(S,)` float32: those of some frames around each.

    Steps beyond either end of an episode have the return of its first or last frame, as windows of a dataset do.

    Args:
        dataset: the frames.
        returns: of each frame, `(frames,)`.
        steps: which frames, relative to each.
    """

    def __init__(self, dataset: FrameDataset, returns: NDArray[np.float64], steps: Sequence[int]) -> None:
        self.dataset = dataset
        self.episode_bounds = dataset.episode_bounds
        self.fps = dataset.fps
        self.features: FeatureMap = {**dataset.features, RETURN: {"dtype": "float32", "shape": (1,), "names": None}}
        self._returns = torch.from_numpy(returns.astype(np.float32))
        self._steps = np.array(steps, np.int64)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, indices: Iterable[int]) -> list[Item]:
        """A batch of frames in one call."""
        asked = np.fromiter(indices, np.int64)
        starts, stops = self.episode_bounds
        episodes = np.searchsorted(stops, asked, side="right")
        places = asked[:, None] + self._steps
        places = np.clip(places, starts[episodes, None], stops[episodes, None] - 1)
        items = self.dataset.__getitems__(asked.tolist())
        return [{**item, RETURN: found} for item, found in zip(items, self._returns[places], strict=True)]


def with_returns(
    training: FrameDataset,
    held_out: FrameDataset | None,
    discount: float,
    steps: Sequence[int],
    names: Mapping[str, str],
) -> tuple[WithReturns, WithReturns | None]:
    """Add returns to what is trained and validated on, standardised by mean and deviation of the former.

    Args:
        training: frames to train on.
        held_out: frames to validate on; None for none.
        discount: worth of a reward one step later.
        steps: frames, relative to each, whose returns are learned from.
        names: what columns are called otherwise.

    Raises:
        DatasetError: all returns are equal, so that none is better.
    """
    column = next(key for key in training.features if names.get(key, key) == REWARD)
    returns = returns_to_go(training, column, discount)
    mean, deviation = returns.mean(), returns.std()
    if deviation <= 1e-8 * max(1.0, abs(mean)):
        raise DatasetError(
            f"every frame of {training.repo_id} has the return {mean:.4g}, so that nothing is better than another",
            expected=f"different rewards in {column}, or --policy.objective=bc",
        )
    found = WithReturns(training, (returns - mean) / deviation, steps)
    if held_out is None:
        return found, None
    return found, WithReturns(held_out, (returns_to_go(held_out, column, discount) - mean) / deviation, steps)
