"""From a dataset to batches, in an order that depends on nothing but (seed, epoch)."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from lerobot.core.errors import DatasetError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.metadata import LeRobotDatasetMetadata
from lerobot.datasets.samplers import DistributedBatchSampler, EpisodeAwareSampler
from lerobot.datasets.views import hold_out
from lerobot.policies.config import PreTrainedConfig
from lerobot.training.config import BatchConfig, DatasetConfig

logger = logging.getLogger(__name__)

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """What a run learns from.

    Attributes:
        meta: metadata of the dataset.
        training: frames to train on.
        validation: frames that are held out; None if none are.
    """

    meta: LeRobotDatasetMetadata
    training: LeRobotDataset
    validation: LeRobotDataset | None


def open_dataset(config: DatasetConfig, policy: PreTrainedConfig, batches: BatchConfig) -> Demonstrations:
    """Open the dataset with the windows a policy needs.

    Raises:
        DatasetError: there is no such dataset or episode, or nothing is left to train on.
        FeatureMismatchError: the policy's windows do not fit its features.
    """
    meta = LeRobotDatasetMetadata(config.repo_id, config.root, config.revision)
    chosen, held_out = _episodes(config, meta)
    windows = delta_timestamps(policy, meta)

    def read(episodes: Sequence[int] | None) -> LeRobotDataset:
        return LeRobotDataset(
            config.repo_id,
            config.root,
            episodes,
            delta_timestamps=windows or None,
            tolerance_s=batches.tolerance_s,
            revision=config.revision,
            return_uint8=True,
            depth_output_unit=config.depth_output_unit,
        )

    return Demonstrations(meta, read(chosen), read(held_out) if held_out else None)


def _episodes(config: DatasetConfig, meta: LeRobotDatasetMetadata) -> tuple[list[int] | None, list[int]]:
    excluded = set(config.exclude_episodes or ())
    if unknown := sorted(excluded - set(range(meta.total_episodes))):
        raise DatasetError(f"{meta.repo_id} has no episode {', '.join(map(str, unknown))} to leave out")
    training, held_out = (
        hold_out(meta, config.eval_split) if config.eval_split else (list(range(meta.total_episodes)), [])
    )
    wanted = (set(range(meta.total_episodes)) if config.episodes is None else set(config.episodes)) - excluded
    if not config.eval_split and config.episodes is None and not excluded:
        return None, []
    left = [episode for episode in training if episode in wanted]
    if unknown := sorted(wanted - set(range(meta.total_episodes))):
        raise DatasetError(f"{meta.repo_id} has no episode {', '.join(map(str, unknown))}")
    if not left:
        raise DatasetError(f"no episode of {meta.repo_id} is left to train on", hint="Choose more, or hold out fewer.")
    return left, [episode for episode in held_out if episode in wanted]


def delta_timestamps(policy: PreTrainedConfig, meta: LeRobotDatasetMetadata) -> dict[str, list[float]]:
    """Seconds, relative to each frame, of what a policy wants to see of each feature around it."""
    windows: dict[str, list[float]] = {}
    for key in meta.features:
        if key == "next.reward":
            indices = policy.reward_delta_indices
        elif key == "action":
            indices = policy.action_delta_indices
        elif key.startswith("observation."):
            indices = policy.observation_delta_indices
        else:
            indices = None
        if indices is not None:
            windows[key] = [index / meta.fps for index in indices]
    return windows


def statistics(config: DatasetConfig, meta: LeRobotDatasetMetadata) -> dict[str, dict[str, Any]]:
    """Statistics to normalise by; colour cameras get ImageNet's mean and deviation if that is wished."""
    stats = {key: dict(values) for key, values in meta.stats_in(config.depth_output_unit).items()}
    if config.use_imagenet_stats:
        for key in meta.camera_keys:
            if key not in meta.depth_keys:
                imagenet = {name: np.array(values, np.float32).reshape(3, 1, 1) for name, values in IMAGENET.items()}
                stats[key] = {**stats.get(key, {}), **imagenet}
    return stats


class TrainingBatches:
    """Batches without end, from any step on.

    Args:
        dataset: frames.
        config: how batches are drawn.
        seed: of the order.
        drop_n_last_frames: frames at the end of each episode that are never drawn.
        rank: this process.
        world_size: processes; each gets its share of every round of batches.
        pin_memory: prepare batches for a fast copy to a GPU.
    """

    def __init__(
        self,
        dataset: LeRobotDataset,
        config: BatchConfig,
        *,
        seed: int,
        drop_n_last_frames: int = 0,
        rank: int = 0,
        world_size: int = 1,
        pin_memory: bool = False,
    ) -> None:
        starts, stops = dataset.episode_bounds
        self.sampler = EpisodeAwareSampler(
            starts.tolist(), stops.tolist(), drop_n_last_frames=drop_n_last_frames, shuffle=True, seed=seed
        )
        self.batches = DistributedBatchSampler(self.sampler, config.batch_size, rank, world_size)
        # Of its own: an iterator that drew its seed from torch's generator would change every draw after a resume.
        self._generator = torch.Generator()
        workers: dict[str, Any] = {}
        if config.num_workers:
            workers = {
                "prefetch_factor": config.prefetch_factor,
                "persistent_workers": config.persistent_workers,
                "multiprocessing_context": config.dataloader_multiprocessing_context,
            }
        self._loader: DataLoader[Batch] = DataLoader(
            dataset,  # type: ignore[arg-type] # has __getitems__ and __len__, which is all that is used
            batch_sampler=self.batches,
            num_workers=config.num_workers,
            generator=self._generator,
            pin_memory=pin_memory,
            **workers,
        )

    def start_at(self, step: int, batch_size: int, world_size: int) -> None:
        """Continue after a number of batches.

        Args:
            step: batches each process has had.
            batch_size: frames per batch and process it had then.
            world_size: processes there were then.
        """
        rounds = -(-len(self.sampler) // (batch_size * world_size))
        epoch, done = divmod(step, rounds)
        self.sampler.load_state_dict(
            {"epoch": epoch, "start_index": min(done * batch_size * world_size, len(self.sampler))}
        )

    def __iter__(self) -> Iterator[Batch]:
        while True:
            self._generator.manual_seed(self.sampler.seed + self.sampler.epoch)
            yield from self._loader


def validation_batches(dataset: LeRobotDataset, config: BatchConfig, limit: int, rank: int, world_size: int) -> Any:
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
    return DataLoader(dataset, batch_sampler=parts, generator=torch.Generator())  # type: ignore[arg-type] # as above


def to_device(batch: Mapping[str, Any], device: torch.device, cameras: Collection[str]) -> Batch:
    """Move tensors, and make pictures `float32` in [0, 1] there: bytes travel four times as fast.

    Args:
        batch: from a loader.
        device: where to.
        cameras: keys of pictures.
    """
    moved: Batch = {}
    for key, value in batch.items():
        if isinstance(value, torch.Tensor):
            tensor = value.to(device, non_blocking=True)
            as_bytes = key in cameras and tensor.dtype == torch.uint8
            moved[key] = tensor.to(torch.float32).div_(255) if as_bytes else tensor
        else:
            moved[key] = value
    return moved
