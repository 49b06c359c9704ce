"""A dataset as frames by number: its metadata, parts and mixtures of it, and the order they are drawn in."""

from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.dataset.samplers import (
    DistributedBatchSampler,
    EpisodeAwareSampler,
    MixtureSampler,
    ResumableSampler,
)
from lerobot.datasets.dataset.subset import FrameSource, FrameSubset
from lerobot.datasets.dataset.views import (
    MixtureDataset,
    hold_out,
    split,
    split_episodes,
    subset,
    window,
)

__all__ = [
    "DistributedBatchSampler",
    "EpisodeAwareSampler",
    "FrameDataset",
    "FrameSource",
    "FrameSubset",
    "LeRobotDatasetMetadata",
    "MixtureDataset",
    "MixtureSampler",
    "ResumableSampler",
    "hold_out",
    "split",
    "split_episodes",
    "subset",
    "window",
]
