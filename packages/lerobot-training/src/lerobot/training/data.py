"""The demonstrations of a run: one dataset, one that is streamed, or several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.dataset.conditions import frames_where
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.dataset.samplers import EpisodeAwareSampler
from lerobot.datasets.dataset.subset import FrameSource, FrameSubset
from lerobot.datasets.dataset.views import MixtureDataset, hold_out
from lerobot.datasets.format.features import CAMERA_DTYPES, FeatureMap, is_depth
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import DONE, REWARD, SUCCESS, TRUNCATED, features_of_dataset
from lerobot.policies.names import renamed
from lerobot.training.config import BatchConfig, DatasetConfig, EpisodesConfig
from lerobot.training.mixture import TrainingMixture
from lerobot.training.returns import WithReturns, with_returns

Frames = LeRobotDataset | WithReturns

CAME_OF_ACTIONS = frozenset({REWARD, DONE, SUCCESS, TRUNCATED})
"""Columns with what came of each action: who learns from rewards sees all of them at the same frames."""

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """What a run learns from.

    Attributes:
        features: declarations of what every frame has.
        stats: statistics to normalise by.
        num_episodes: episodes to train on.
        training: frames to train on.
        validation: frames that are held out; None if none are.
        names: what keys of frames are called from their batch on, here and in a policy; see `names_of_frames`.
        kept: whether each frame to train on may be drawn, `(frames,)` bool; None for all. A mixture has only such.
    """

    features: FeatureMap
    stats: Stats
    num_episodes: int
    training: Frames | StreamingLeRobotDataset | TrainingMixture
    validation: Frames | FrameSubset | MixtureDataset | None
    names: Mapping[str, str] = field(default_factory=dict)
    kept: NDArray[np.bool_] | None = None

    @property
    def num_frames(self) -> int:
        """Frames to train on."""
        return len(self.training) if self.kept is None else int(self.kept.sum())

    @property
    def cameras(self) -> frozenset[str]:
        """Keys of pictures."""
        return frozenset(key for key, feature in self.features.items() if feature["dtype"] in CAMERA_DTYPES)

    @property
    def numbers(self) -> frozenset[str]:
        """Keys of vectors of one number among what policies take."""
        vectors = features_of_dataset(self.features)
        return frozenset(key for key, feature in vectors.items() if feature.shape == (1,))

    @property
    def colour_cameras(self) -> frozenset[str]:
        """Keys of pictures that are no depth."""
        return frozenset(key for key in self.cameras if not is_depth(self.features[key]))


@dataclass(frozen=True, slots=True)
class _Source:
    """A dataset, which of its episodes are for what, and what is read around each frame."""

    config: EpisodesConfig
    meta: LeRobotDatasetMetadata
    training: list[int] | None
    held_out: list[int]
    windows: dict[str, list[float]]
    names: Mapping[str, str]

    @property
    def num_episodes(self) -> int:
        return self.meta.total_episodes if self.training is None else len(self.training)


@dataclass(frozen=True, slots=True)
class _Frames:
    """Frames of one dataset: to train on, held out, which of the former may be drawn, and of how many episodes."""

    training: Frames
    held_out: Frames | FrameSubset | None
    kept: NDArray[np.bool_] | None
    num_episodes: int


def names_of_frames(rename_map: Mapping[str, str]) -> dict[str, str]:
    """The part of a renaming that changes what is no observation yet, such as `{actions: action, state: ...}`.

    Processors rename observations, for robots and environments too; what else a dataset calls otherwise never comes to
    them, so that batches are renamed.
    """
    return {old: new for old, new in rename_map.items() if not old.startswith("observation.")}


def open_dataset(
    config: DatasetConfig,
    policy: PreTrainedConfig,
    batches: BatchConfig,
    *,
    seed: int = 0,
    rename_map: Mapping[str, str] | None = None,
) -> Demonstrations:
    """Open the datasets with the windows a policy needs.

    Args:
        config: which ones.
        policy: which windows.
        batches: how exactly times must fit.
        seed: of the order of a stream.
        rename_map: the policy's names of features that the datasets call otherwise.

    Raises:
        DatasetError: there is no such dataset or episode, or nothing is left to train on.
        FeatureMismatchError: the policy's windows, or the datasets' features, do not fit.
    """
    opened = _open(config, policy, batches, seed, rename_map or {})
    names = names_of_frames(rename_map or {})
    if unknown := sorted(names.keys() - opened.features.keys()):
        raise FeatureMismatchError(
            f"--rename_map names {', '.join(unknown)}", keys=unknown, expected=", ".join(opened.features)
        )
    features: FeatureMap = {key: dict(each) for key, each in renamed(opened.features, names).items()}
    stats = {names.get(key, key): values for key, values in opened.stats.items()}
    return replace(opened, features=features, stats=stats, names=names)


def _open(
    config: DatasetConfig, policy: PreTrainedConfig, batches: BatchConfig, seed: int, rename_map: Mapping[str, str]
) -> Demonstrations:
    source = _source(config, policy, rename_map, config.eval_split)
    if config.mix_with:
        return _mixture(config, policy, batches, source, rename_map)
    stats = with_imagenet(source.meta.stats_in(config.depth_output_unit), source.meta.features, config)
    if not config.streaming:
        frames = _read_both(config, source, policy, batches)
        return Demonstrations(
            source.meta.features, stats, frames.num_episodes, frames.training, frames.held_out, kept=frames.kept
        )
    if policy.return_discount is not None:
        raise DatasetError(
            f"policy {policy.type!r} learns from returns, and a stream does not know what follows",
            expected="--dataset.streaming=false",
        )
    stream = StreamingLeRobotDataset(
        config.repo_id,
        config.root,
        source.training,
        delta_timestamps=source.windows or None,
        tolerance_s=batches.tolerance_s,
        revision=config.revision,
        seed=seed,
        return_uint8=True,
        depth_output_unit=config.depth_output_unit,
        drop_n_last_frames=policy.unlearned_last_frames,
    )
    held_out = _read(config, source, source.held_out, batches) if source.held_out else None
    return Demonstrations(source.meta.features, stats, source.num_episodes, stream, held_out)


def _mixture(
    config: DatasetConfig,
    policy: PreTrainedConfig,
    batches: BatchConfig,
    first: _Source,
    rename_map: Mapping[str, str],
) -> Demonstrations:
    others = [
        _source(each, policy, _composed(each.feature_map, rename_map), config.eval_split) for each in config.mix_with
    ]
    sources = [first, *others]
    maps: list[dict[str, str]] = [{}, *(each.feature_map for each in config.mix_with)]
    if len({source.meta.fps for source in sources}) > 1:
        rates = ", ".join(f"{source.meta.repo_id} {source.meta.fps}" for source in sources)
        raise FeatureMismatchError(
            f"the datasets have different frames per second: {rates}",
            expected="one rate, because a policy's chunk of actions has one",
        )
    stats = [source.meta.stats_in(config.depth_output_unit) for source in sources]
    both = [_read_both(config, source, policy, batches) for source in sources]
    kept = [_drawn(frames, policy.unlearned_last_frames) for frames in both]
    training = TrainingMixture(kept, maps, stats, [config.weight, *(each.weight for each in config.mix_with)])
    pairs = [(frames.held_out, names) for frames, names in zip(both, maps, strict=True) if frames.held_out is not None]
    validation = None
    if pairs:
        validation = MixtureDataset([held_out for held_out, _ in pairs], [names for _, names in pairs])
    return Demonstrations(
        training.features,
        with_imagenet(training.stats, training.features, config),
        sum(frames.num_episodes for frames in both),
        training,
        validation,
    )


def _composed(first: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str]:
    """One renaming after the other, as one."""
    return {**then, **{old: then.get(new, new) for old, new in first.items()}}


def _source(config: EpisodesConfig, policy: PreTrainedConfig, names: Mapping[str, str], eval_split: float) -> _Source:
    meta = LeRobotDatasetMetadata(config.repo_id, config.root, config.revision)
    policy.check_columns({names.get(key, key) for key in meta.features}, f"dataset {meta.repo_id}")
    training, held_out = _episodes(config, meta, eval_split)
    return _Source(config, meta, training, held_out, delta_timestamps(policy, meta, names), names)


def _read_both(config: DatasetConfig, source: _Source, policy: PreTrainedConfig, batches: BatchConfig) -> _Frames:
    """Frames to train on, and those that are held out, with returns if the policy learns from them."""
    training = _read(config, source, source.training, batches)
    held_out = _read(config, source, source.held_out, batches) if source.held_out else None
    found: tuple[Frames, Frames | None] = (training, held_out)
    if policy.return_discount is not None:
        steps = policy.action_delta_indices or range(1)
        found = with_returns(training, held_out, policy.return_discount, steps, source.names)
    kept = _kept(source, training)
    chosen: Frames | FrameSubset | None = found[1]
    if held_out is not None and found[1] is not None and (validated := _kept(source, held_out)) is not None:
        chosen = FrameSubset(found[1], np.flatnonzero(validated))
    starts, _ = training.episode_bounds
    episodes = len(starts) if kept is None else int(np.add.reduceat(kept, starts, dtype=np.int64).astype(bool).sum())
    return _Frames(found[0], chosen, kept, episodes)


def _kept(source: _Source, dataset: LeRobotDataset) -> NDArray[np.bool_] | None:
    """Which frames meet the conditions; None if there are none."""
    if not (conditions := source.config.conditions):
        return None
    kept = frames_where(dataset, conditions)
    if not kept.any():
        raise DatasetError(
            f"no frame of {dataset.num_episodes} episodes of {dataset.repo_id} meets {' and '.join(conditions)}",
            expected="a --dataset.filter that leaves frames to train on, and to validate on if any are held out",
        )
    return kept


def _read(
    config: DatasetConfig, source: _Source, episodes: Sequence[int] | None, batches: BatchConfig
) -> LeRobotDataset:
    return LeRobotDataset(
        source.config.repo_id,
        source.config.root,
        episodes,
        delta_timestamps=source.windows or None,
        tolerance_s=batches.tolerance_s,
        revision=source.config.revision,
        return_uint8=True,
        depth_output_unit=config.depth_output_unit,
        in_memory=config.in_memory,
    )


def _drawn(frames: _Frames, drop_last: int) -> FrameSource:
    """The frames that a mixture may draw."""
    if not drop_last and frames.kept is None:
        return frames.training
    starts, stops = frames.training.episode_bounds
    sampler = EpisodeAwareSampler(starts.tolist(), stops.tolist(), drop_n_last_frames=drop_last, kept=frames.kept)
    return FrameSubset(frames.training, sampler)


def _episodes(
    config: EpisodesConfig, meta: LeRobotDatasetMetadata, eval_split: float
) -> tuple[list[int] | None, list[int]]:
    if not meta.total_episodes:
        raise DatasetError(f"dataset {meta.repo_id} has no episode yet", expected="at least one to train on")
    excluded = set(config.exclude_episodes or ())
    if unknown := sorted(excluded - set(range(meta.total_episodes))):
        raise DatasetError(f"{meta.repo_id} has no episode {', '.join(map(str, unknown))} to leave out")
    training, held_out = hold_out(meta, eval_split) if eval_split else (list(range(meta.total_episodes)), [])
    wanted = (set(range(meta.total_episodes)) if config.episodes is None else set(config.episodes)) - excluded
    if not eval_split and config.episodes is None and not excluded:
        return None, []
    left = [episode for episode in training if episode in wanted]
    if unknown := sorted(wanted - set(range(meta.total_episodes))):
        raise DatasetError(f"{meta.repo_id} has no episode {', '.join(map(str, unknown))}")
    if not left:
        raise DatasetError(f"no episode of {meta.repo_id} is left to train on", hint="Choose more, or hold out fewer.")
    return left, [episode for episode in held_out if episode in wanted]


def delta_timestamps(
    policy: PreTrainedConfig, meta: LeRobotDatasetMetadata, names: Mapping[str, str] | None = None
) -> dict[str, list[float]]:
    """Seconds, relative to each frame, of what a policy wants to see of each feature around it.

    Args:
        policy: whose windows.
        meta: of the dataset.
        names: what the policy calls its features, where they are called otherwise.
    """
    windows: dict[str, list[float]] = {}
    for key in meta.features:
        name = (names or {}).get(key, key)
        if name in CAME_OF_ACTIONS:
            indices = policy.reward_delta_indices
        elif name == "action":
            indices = policy.action_delta_indices
        elif name.startswith("observation."):
            indices = policy.observation_delta_indices
        else:
            indices = None
        if indices is not None:
            windows[key] = [index / meta.fps for index in indices]
    return windows


def with_imagenet(stats: Stats, features: FeatureMap, config: DatasetConfig) -> Stats:
    """Statistics to normalise by; colour cameras get ImageNet's mean and deviation if that is wished."""
    found: dict[str, dict[str, Any]] = {key: dict(values) for key, values in stats.items()}
    if config.use_imagenet_stats:
        imagenet = {name: np.array(values, np.float32).reshape(3, 1, 1) for name, values in IMAGENET.items()}
        for key, feature in features.items():
            if feature["dtype"] in CAMERA_DTYPES and not is_depth(feature):
                found[key] = {**found.get(key, {}), **imagenet}
    return found
