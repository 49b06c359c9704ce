"""Parts and mixtures of datasets. A view returns exactly the frames of the dataset it is made of."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.dataset.samplers import MixtureSampler
from lerobot.datasets.dataset.subset import FrameSource, FrameSubset, Item, places_of
from lerobot.datasets.format.features import FeatureMap
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.statistics.dataset import DatasetStatistics


def window(dataset: FrameSource, start: int, stop: int) -> FrameSubset:
    """Frames `start` to `stop` of a dataset, as a slice would choose them."""
    return FrameSubset(dataset, range(*slice(start, stop).indices(len(dataset))))


def subset(dataset: FrameDataset, episodes: Iterable[int]) -> FrameSubset:
    """Frames of episodes of a dataset, which has them among its chosen ones, in file order.

    Raises:
        DatasetError: an episode is not in the dataset.
    """
    numbers = dataset.episode_indices.tolist()
    wanted = set(episodes)
    if unknown := sorted(wanted - set(numbers)):
        raise DatasetError(f"{dataset.repo_id} has no episode {', '.join(map(str, unknown))} to choose")
    starts, stops = dataset.episode_bounds
    chosen = [np.arange(a, b) for n, a, b in zip(numbers, starts, stops, strict=True) if n in wanted]
    return FrameSubset(dataset, np.concatenate(chosen).tolist() if chosen else [])


def split_episodes(episodes: Sequence[int], fractions: Mapping[str, float]) -> dict[str, list[int]]:
    """Share episodes out by fractions, in order.

    Args:
        episodes: numbers of the episodes.
        fractions: share of each part; they sum to 1 or less, and if to 1 the last part takes what rounding leaves.

    Raises:
        DatasetError: a fraction is not positive, or they sum to more than 1.
    """
    total = sum(fractions.values())
    if not fractions or min(fractions.values()) <= 0 or total > 1 + 1e-9:
        raise DatasetError(f"split fractions are {dict(fractions)}", expected="positive numbers that sum to 1 or less")
    parts, start = {}, 0
    for name, fraction in fractions.items():
        # 100 * 0.29 is a little less than 29 in floating point.
        size = int(len(episodes) * fraction + 1e-9)
        parts[name] = list(episodes[start : start + size])
        start += size
    if math.isclose(total, 1):
        parts[list(fractions)[-1]] += episodes[start:]
    return parts


def split(dataset: FrameDataset, fractions: Mapping[str, float]) -> dict[str, FrameSubset]:
    """Parts of a dataset by whole episodes; see `split_episodes`."""
    parts = split_episodes(dataset.episode_indices.tolist(), fractions)
    return {name: subset(dataset, episodes) for name, episodes in parts.items()}


def hold_out(meta: LeRobotDatasetMetadata, fraction: float) -> tuple[list[int], list[int]]:
    """Episodes to train on and to evaluate on: of every task the last ones are held out.

    Args:
        meta: metadata of the dataset.
        fraction: share to hold out, rounded up to whole episodes of each task.

    Raises:
        DatasetError: `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise DatasetError(f"share to hold out is {fraction}", expected="a number between 0 and 1")
    by_task: dict[str, list[int]] = {}
    for episode, tasks in enumerate(meta.episodes["tasks"]):
        by_task.setdefault(tasks[0] if tasks else "", []).append(episode)
    held = {e for episodes in by_task.values() for e in episodes[-math.ceil(len(episodes) * fraction) :]}
    return [e for e in range(meta.total_episodes) if e not in held], sorted(held)


class MixtureDataset:
    """Frames of several datasets one after the other, with common names for what they have in common.

    An item has the features that all datasets share, `task`, and `dataset_index`, the number of its dataset.

    Args:
        datasets: at least one.
        feature_maps: per dataset, its feature's name to the common name; features not named keep theirs.
        stats: per dataset, its statistics by its own names, to be joined; none if not given.

    Raises:
        FeatureMismatchError: nothing is shared, a map names an unknown feature or two by one name, or types or shapes
            of a shared feature differ.
    """

    def __init__(
        self,
        datasets: Sequence[FrameSource],
        feature_maps: Sequence[Mapping[str, str]] | None = None,
        stats: Sequence[Stats] | None = None,
    ) -> None:
        if not datasets:
            raise DatasetError("a mixture of no datasets has no frames")
        self.datasets = list(datasets)
        self._maps = [
            _full_map(dataset.features, {} if feature_maps is None else feature_maps[i])
            for i, dataset in enumerate(self.datasets)
        ]
        self.features = _shared_features(self.datasets, self._maps)
        self._ends = np.cumsum([len(dataset) for dataset in self.datasets])
        self.stats: Stats = {}
        if stats is not None:
            renamed = [
                {names[key]: value for key, value in one.items() if names.get(key) in self.features}
                for one, names in zip(stats, self._maps, strict=True)
            ]
            self.stats = DatasetStatistics(renamed).summary()

    @property
    def fps(self) -> int | float:
        """Frames per second of the first dataset."""
        return self.datasets[0].fps

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Item:
        """One frame, counted from either end."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> list[Item]:
        """A batch of frames, in one call per dataset."""
        places = places_of(indices, len(self))
        sources = np.searchsorted(self._ends, places, side="right")
        items: list[Item] = [{} for _ in places]
        for number in np.unique(sources).tolist():
            wanted = np.flatnonzero(sources == number)
            offset = int(self._ends[number]) - len(self.datasets[number])
            found = self.datasets[number].__getitems__((places[wanted] - offset).tolist())
            for place, item in zip(wanted.tolist(), found, strict=True):
                items[place] = self._renamed(item, number)
        return items

    def _renamed(self, item: Item, number: int) -> Item:
        names = self._maps[number]
        renamed: Item = {}
        for key, value in item.items():
            stem = key.removesuffix("_is_pad")
            name = names.get(key) or (f"{names[stem]}_is_pad" if stem in names else key)
            if name == "task" or name.removesuffix("_is_pad") in self.features:
                renamed[name] = value
        return {**renamed, "dataset_index": number}

    def sampler(self, weights: Sequence[float], num_samples: int | None = None, seed: int = 0) -> MixtureSampler:
        """A sampler that draws from the datasets in proportion to weights."""
        return MixtureSampler([len(dataset) for dataset in self.datasets], weights, num_samples, seed)


def _full_map(features: FeatureMap, renames: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(renames.keys() - features.keys()):
        raise FeatureMismatchError(
            f"feature map names {', '.join(unknown)}", keys=unknown, expected=", ".join(features)
        )
    names = {key: renames.get(key, key) for key in features}
    if len(set(names.values())) != len(names):
        twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
        raise FeatureMismatchError(f"feature map gives {', '.join(twice)} to two features", keys=twice)
    return names


def _shared_features(datasets: Sequence[FrameSource], maps: Sequence[Mapping[str, str]]) -> FeatureMap:
    declared = [
        {names[key]: feature for key, feature in dataset.features.items()}
        for dataset, names in zip(datasets, maps, strict=True)
    ]
    shared = {key: feature for key, feature in declared[0].items() if all(key in other for other in declared)}
    for key, feature in shared.items():
        for number, other in enumerate(declared):
            if _kind(other[key]) != _kind(feature):
                raise FeatureMismatchError(
                    f"{key} is {_kind(other[key])} in dataset {number} and {_kind(feature)} in dataset 0", keys=[key]
                )
    if not shared:
        raise FeatureMismatchError("the datasets share no feature", expected="a feature_maps entry for each dataset")
    return shared


def _kind(feature: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    """What a tensor of a feature looks like: one image is like another, however it is stored."""
    kind = np.dtype(feature["dtype"]).kind if feature["dtype"] not in {"image", "video", "string", "language"} else ""
    return kind or ("image" if feature["dtype"] in {"image", "video"} else feature["dtype"]), feature["shape"]
