"""In which order frames are drawn: per epoch, resumable, and shared out over processes.

An order depends on nothing but (seed, epoch), so that training which is resumed sees the frames it would have seen.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError

logger = logging.getLogger(__name__)


class ResumableSampler(ABC):
    """Draws indices epoch after epoch; every iteration is the next epoch.

    Its state is `{"epoch", "start_index"}`: the epoch to come and how much of it was already drawn.

    Args:
        seed: of the orders.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.epoch = 0
        self.start_index = 0

    @abstractmethod
    def order(self, epoch: int) -> NDArray[np.int64]:
        """All indices of an epoch, in order."""

    @abstractmethod
    def __len__(self) -> int:
        """Indices in a whole epoch."""

    def __iter__(self) -> Iterator[int]:
        """The indices of the epoch, from where it was left; the next iteration is the next epoch."""
        order = self.order(self.epoch)[self.start_index :]
        self.epoch, self.start_index = self.epoch + 1, 0
        return iter(order.tolist())

    def set_epoch(self, epoch: int) -> None:
        """Make an epoch the next one, from its beginning."""
        self.epoch, self.start_index = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """The epoch to come and where in it to begin."""
        return {"epoch": self.epoch, "start_index": self.start_index}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state.

        Raises:
            DatasetError: the state is none of this sampler's.
        """
        epoch, start = int(state["epoch"]), int(state["start_index"])
        if epoch < 0 or not 0 <= start <= len(self):
            raise DatasetError(f"sampler state is {dict(state)}", expected=f"start_index from 0 to {len(self)}")
        self.epoch, self.start_index = epoch, start


class EpisodeAwareSampler(ResumableSampler):
    """Frames of chosen episodes, optionally without their first or last ones.

    Args:
        from_indices: first frame of each episode.
        to_indices: frame after the last one of each episode.
        episode_indices_to_use: numbers of the episodes; all if None. Their order does not matter.
        drop_n_first_frames: frames to leave out at the beginning of each episode.
        drop_n_last_frames: same at the end.
        shuffle: whether to permute the frames, anew in every epoch.
        seed: of the permutations.
        absolute_to_relative_idx: index to yield for each frame, for datasets with chosen episodes.
        kept: whether each frame may be drawn, `(frames,)` bool; all if None.

    Raises:
        DatasetError: nothing is left, or a count is negative.
    """

    def __init__(
        self,
        from_indices: Sequence[int],
        to_indices: Sequence[int],
        episode_indices_to_use: Sequence[int] | None = None,
        drop_n_first_frames: int = 0,
        drop_n_last_frames: int = 0,
        shuffle: bool = False,
        seed: int = 0,
        absolute_to_relative_idx: Mapping[int, int] | None = None,
        kept: NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__(seed)
        if drop_n_first_frames < 0 or drop_n_last_frames < 0:
            raise DatasetError(
                f"frames to drop are {drop_n_first_frames} and {drop_n_last_frames}", expected="0 or more"
            )
        self.shuffle = shuffle
        chosen = None if episode_indices_to_use is None else set(episode_indices_to_use)
        frames: list[NDArray[np.int64]] = []
        for episode, (start, stop) in enumerate(zip(from_indices, to_indices, strict=True)):
            if chosen is not None and episode not in chosen:
                continue
            left = np.arange(start + drop_n_first_frames, stop - drop_n_last_frames, dtype=np.int64)
            if not left.size:
                logger.warning("episode %d has %d frames, so that none is left of it", episode, stop - start)
            frames.append(left if kept is None else left[kept[left]])
        self.indices = np.concatenate(frames) if frames else np.empty(0, np.int64)
        if not self.indices.size:
            raise DatasetError("no frame is left to draw", hint="Drop fewer frames, or choose other episodes.")
        if absolute_to_relative_idx is not None:
            self.indices = np.array([absolute_to_relative_idx[index] for index in self.indices.tolist()], np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """All indices of an epoch, in order."""
        return self.indices[permutation(len(self), self.seed, epoch)] if self.shuffle else self.indices


class MixtureSampler(ResumableSampler):
    """Frames of several datasets, drawn in proportion to their weights, for a `MixtureDataset`.

    Within a dataset no frame is drawn again before every other was.

    Args:
        lengths: frames of each dataset.
        weights: share of each in what is drawn; need not sum to 1.
        num_samples: frames per epoch; as many as there are if None.
        seed: of the draws.

    Raises:
        DatasetError: a weight is negative, or none is positive for a dataset with frames.
    """

    def __init__(
        self, lengths: Sequence[int], weights: Sequence[float], num_samples: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(seed)
        shares = np.asarray(weights, np.float64)
        empty = [i for i, (length, share) in enumerate(zip(lengths, weights, strict=True)) if share > 0 and not length]
        if not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0 or empty:
            raise DatasetError(
                f"mixture weights are {list(weights)} for datasets of {list(lengths)} frames",
                expected="weights of 0 or more, positive only for datasets with frames",
            )
        self.lengths = list(lengths)
        self.weights = shares / shares.sum()
        self.num_samples = sum(lengths) if num_samples is None else num_samples

    def __len__(self) -> int:
        return self.num_samples

    def order(self, epoch: int) -> NDArray[np.int64]:
        """All indices of an epoch, in order."""
        rng = np.random.default_rng([self.seed, epoch])
        sources = rng.choice(len(self.lengths), self.num_samples, p=self.weights)
        order = np.empty(self.num_samples, np.int64)
        offset = 0
        for source, length in enumerate(self.lengths):
            places = np.flatnonzero(sources == source)
            if places.size:
                rounds = -(-places.size // length)
                frames = np.concatenate([rng.permutation(length) for _ in range(rounds)])
                order[places] = offset + frames[: places.size]
            offset += length
        return order


class DistributedBatchSampler:
    """Batches of a sampler, dealt in turn to the processes of a distributed run.

    Every process gets the same number of batches of the same size: the last ones are filled from the epoch's beginning.

    Args:
        sampler: draws the same indices in every process.
        batch_size: indices per batch and process.
        rank: this process.
        world_size: processes.

    Raises:
        DatasetError: `rank` or a size is out of range.
    """

    def __init__(self, sampler: ResumableSampler, batch_size: int, rank: int = 0, world_size: int = 1) -> None:
        if batch_size < 1 or not 0 <= rank < world_size:
            raise DatasetError(
                f"batch_size {batch_size}, rank {rank} of {world_size}", expected="rank below world_size"
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank = rank
        self.world_size = world_size

    def __len__(self) -> int:
        """Batches of this process in a whole epoch."""
        return -(-len(self.sampler) // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of this process in the sampler's next epoch."""
        first = self.sampler.order(self.sampler.epoch)
        rest = np.fromiter(self.sampler, np.int64)
        stride = self.batch_size * self.world_size
        filled = np.concatenate([rest, np.resize(first, -len(rest) % stride)])
        for start in range(self.rank * self.batch_size, len(filled), stride):
            yield filled[start : start + self.batch_size].tolist()


def permutation(size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The permutation of an epoch, the one that the format's other readers draw.

    Source:
        huggingface/lerobot 0.6.1, `EpisodeAwareSampler`: `torch.randperm` seeded by the first word of
        `SeedSequence([seed, epoch])`.
    """
    # Only here: samplers without shuffling, and mixtures, need no torch.
    import torch

    word = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
    generator = torch.Generator().manual_seed(word)
    order: NDArray[np.int64] = torch.randperm(size, generator=generator).numpy()
    return order


def resume_state(step: int, num_frames: int, batch_size: int, world_size: int = 1) -> dict[str, int]:
    """Sampler state after a number of optimizer steps.

    Args:
        step: batches drawn by each process.
        num_frames: length of the sampler.
        batch_size: per process.
        world_size: processes.
    """
    batches = -(-num_frames // batch_size)
    epoch, done = divmod(step, -(-batches // world_size))
    return {"epoch": epoch, "start_index": min(done * batch_size * world_size, num_frames)}
