"""From frames to batches, in an order that depends on nothing but the seed."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from lerobot.core.images import unit_range
from lerobot.datasets.dataset.samplers import DistributedBatchSampler, EpisodeAwareSampler, ResumableSampler
from lerobot.datasets.dataset.subset import FrameSource
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
from lerobot.training.config import BatchConfig
from lerobot.training.mixture import TrainingMixture

Batch = dict[str, Any]


class Batches(Protocol):
    """Batches without end, from any step on."""

    @property
    def frames_per_epoch(self) -> int:
        """Frames that all processes together draw once per epoch."""
        ...

    def start_at(self, step: int, batch_size: int, world_size: int) -> None:
        """Continue after a number of batches.

        Args:
            step: batches each process has had.
            batch_size: frames per batch and process it had then.
            world_size: processes there were then.
        """
        ...

    def __iter__(self) -> Iterator[Batch]: ...


class TrainingBatches:
    """Batches of frames that can be asked for by number; see `Batches`.

    Args:
        dataset: frames: a `LeRobotDataset` or a `TrainingMixture`.
        config: how batches are drawn.
        seed: of the order.
        drop_n_last_frames: frames at the end of each episode that are never drawn; a mixture has dropped its own.
        kept: whether each frame may be drawn, `(frames,)` bool; all if None. A mixture has chosen its own.
        rank: this process.
        world_size: processes; each gets its share of every round of batches.
        pin_memory: prepare batches for a fast copy to a GPU.
    """

    def __init__(
        self,
        dataset: Any,
        config: BatchConfig,
        *,
        seed: int,
        drop_n_last_frames: int = 0,
        kept: NDArray[np.bool_] | None = None,
        rank: int = 0,
        world_size: int = 1,
        pin_memory: bool = False,
    ) -> None:
        self.sampler: ResumableSampler
        if isinstance(dataset, TrainingMixture):
            self.sampler = dataset.sampler(dataset.weights, seed=seed)
        else:
            starts, stops = dataset.episode_bounds
            self.sampler = EpisodeAwareSampler(
                starts.tolist(),
                stops.tolist(),
                drop_n_last_frames=drop_n_last_frames,
                shuffle=True,
                seed=seed,
                kept=kept,
            )
        # Of its own: an iterator that drew its seed from torch's generator would change every draw after a resume.
        self._generator = torch.Generator()
        self._loader: DataLoader[Batch] = DataLoader(
            dataset,
            batch_sampler=DistributedBatchSampler(self.sampler, config.batch_size, rank, world_size),
            generator=self._generator,
            pin_memory=pin_memory,
            **_workers(config),
        )

    @property
    def frames_per_epoch(self) -> int:
        """See `Batches.frames_per_epoch`."""
        return len(self.sampler)

    def start_at(self, step: int, batch_size: int, world_size: int) -> None:
        """See `Batches.start_at`."""
        rounds = -(-len(self.sampler) // (batch_size * world_size))
        epoch, done = divmod(step, rounds)
        self.sampler.load_state_dict(
            {"epoch": epoch, "start_index": min(done * batch_size * world_size, len(self.sampler))}
        )

    def __iter__(self) -> Iterator[Batch]:
        while True:
            self._generator.manual_seed(self.sampler.seed + self.sampler.epoch)
            yield from self._loader


class StreamedBatches:
    """Batches of a stream of frames; see `Batches`.

    Args:
        dataset: the stream, which knows the processes.
        config: how batches are drawn.
        pin_memory: prepare batches for a fast copy to a GPU.
    """

    def __init__(self, dataset: StreamingLeRobotDataset, config: BatchConfig, *, pin_memory: bool = False) -> None:
        self._dataset = dataset
        self._num_workers = config.workers
        self._generator = torch.Generator()
        self._loader: DataLoader[Batch] = DataLoader(
            dataset,
            batch_size=config.batch_size,
            generator=self._generator,
            pin_memory=pin_memory,
            **_workers(config),
        )

    @property
    def frames_per_epoch(self) -> int:
        """See `Batches.frames_per_epoch`."""
        return len(self._dataset)

    def start_at(self, step: int, batch_size: int, world_size: int) -> None:
        """See `Batches.start_at`; nothing that was drawn before is read again.

        Raises:
            DatasetError: there were more or fewer processes, who had other frames.
        """
        self._dataset.load_state_dict(
            {
                "batches_consumed": step,
                "batch_size": batch_size,
                "world_size": world_size,
                "num_workers": self._num_workers,
            }
        )

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield from self._loader


def _workers(config: BatchConfig) -> dict[str, Any]:
    if not config.workers:
        return {}
    return {
        "num_workers": config.workers,
        "prefetch_factor": config.prefetch_factor,
        "persistent_workers": config.persistent_workers,
        "multiprocessing_context": config.dataloader_multiprocessing_context,
    }


def validation_batches(dataset: FrameSource, config: BatchConfig, limit: int, rank: int, world_size: int) -> Any:
    """Batches of held-out frames, each frame in one process only.

    Args:
        dataset: the frames.
        config: how many per batch.
        limit: frames in all, evenly spread; 0 for every one.
        rank: this process.
        world_size: processes.
    """
    count = min(limit, len(dataset)) if limit else len(dataset)
    frames = np.linspace(0, len(dataset) - 1, count).round().astype(np.int64)[rank::world_size].tolist()
    parts = [frames[start : start + config.batch_size] for start in range(0, len(frames), config.batch_size)]
    # It has __getitems__ and __len__, which is all that is used.
    return DataLoader(dataset, batch_sampler=parts, generator=torch.Generator())  # type: ignore[arg-type]


def with_names(batch: Batch, names: Mapping[str, str]) -> Batch:
    """Rename keys of a batch, and with them which of their steps are padding."""
    if not names:
        return batch
    whole = {old + end: new + end for old, new in names.items() for end in ("", "_is_pad")}
    return {whole.get(key, key): value for key, value in batch.items()}


def to_device(
    batch: Mapping[str, Any], device: torch.device, cameras: Collection[str], numbers: Collection[str] = ()
) -> Batch:
    """Move tensors, and make pictures `float32` in [0, 1] there: bytes travel four times as fast.

    Args:
        batch: from a loader.
        device: where to.
        cameras: keys of pictures.
        numbers: keys of vectors of one number, which datasets give without their axis.
    """
    moved: Batch = {}
    for key, value in batch.items():
        if isinstance(value, torch.Tensor):
            tensor = value.to(device, non_blocking=True)
            tensor = unit_range(tensor) if key in cameras else tensor
            moved[key] = tensor.unsqueeze(-1) if key in numbers else tensor
        else:
            moved[key] = value
    return moved


def frames_of(batch: Mapping[str, Any]) -> int:
    """How many frames a batch has: the length of its tensors' first axis."""
    return len(next(value for value in batch.values() if isinstance(value, torch.Tensor)))
