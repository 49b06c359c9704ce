"""Other choices of episodes: deleting some, splitting a dataset, merging several."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.core.paths import user_path
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, select
from lerobot.dataset_tools.edit.swap import check_is_free
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.dataset.conditions import episodes_where
from lerobot.datasets.dataset.views import split_episodes
from lerobot.datasets.format.features import Feature, is_depth
from lerobot.datasets.format.info import Info
from lerobot.datasets.reader.source import EditSource, open_source

logger = logging.getLogger(__name__)

_ENCODER_KEYS = frozenset(
    f"video.{name}" for name in ("g", "crf", "preset", "fast_decode", "extra_options", "video_backend")
)
"""Entries of a camera's `info` in which merged datasets may differ."""
_SPELLINGS = frozenset({"is_depth_map", "video.is_depth_map"})


def keep_episodes(root: Path, episodes: Sequence[int], new_root: Path | None = None) -> EditResult:
    """Leave all other episodes out; the kept ones keep every value and image.

    Args:
        root: the dataset.
        episodes: numbers of those to keep.
        new_root: see `carry_out`.

    Raises:
        DatasetError: an episode does not exist, or none was named; nothing was changed.
    """
    source = open_source(root)
    kept = source.check_episodes(list(episodes))
    if not kept.size:
        raise DatasetError("no episode was named", expected="numbers of those to keep")
    return carry_out(_plan_of(source, kept), root, new_root)


def delete_episodes(
    root: Path,
    episodes: Sequence[int] = (),
    new_root: Path | None = None,
    *,
    where: str | Sequence[str] = (),
    work: ShardedWork | None = None,
) -> EditResult:
    """Leave episodes out; the others move up and keep every value and image.

    Args:
        root: the dataset.
        episodes: numbers of those to delete.
        new_root: see `carry_out`.
        where: conditions that further ones meet, all of them; see `lerobot.datasets.dataset.conditions`.
        work: see `carry_out`.

    Raises:
        DatasetError: an episode does not exist, a condition is wrong or met by none, or none would remain; nothing was
            changed.
    """
    source = open_source(root)
    conditions = [where] if isinstance(where, str) else list(where)
    deleted = source.check_episodes(list(episodes))
    if conditions:
        deleted = np.union1d(deleted, episodes_where(source, conditions))
    if not deleted.size:
        what = f"no episode of {root} meets {' and '.join(conditions)}" if conditions else "no episode was named"
        raise DatasetError(what, expected='numbers such as --operation.episode_indices="[0, 2]", or a condition')
    kept = np.setdiff1d(np.arange(len(source.episodes)), deleted)
    if not kept.size:
        raise DatasetError(f"{root} has no other episodes, so nothing would remain", hint="delete the folder instead")
    return carry_out(_plan_of(source, kept), root, new_root, work)


def split(root: Path, splits: Mapping[str, float | Sequence[int]], folder: Path | None = None) -> dict[str, Path]:
    """Write parts of a dataset as datasets of their own.

    Args:
        root: the dataset.
        splits: per name either a share of the episodes, taken in order (the last one takes what is left when the shares
            add up to 1), or episode numbers.
        folder: where the parts go, as `<folder>/<name>`; beside the dataset as `<root>_<name>` if None.

    Returns:
        Folder of each part that has episodes.

    Raises:
        DatasetError: a share or number is wrong, or a folder is taken; nothing was written.
    """
    source = open_source(root)
    parts = _parts(source, splits)
    targets = {
        name: user_path(folder) / name if folder else source.root.with_name(f"{source.root.name}_{name}")
        for name in parts
    }
    for target in targets.values():
        check_is_free(target)
    for name, episodes in parts.items():
        carry_out(_plan_of(source, episodes), root, targets[name])
    return targets


def merge(
    roots: Sequence[Path],
    new_root: Path,
    *,
    join_data: bool = True,
    join_videos: bool = True,
    episodes: Sequence[Sequence[int] | None] | None = None,
    work: ShardedWork | None = None,
) -> EditResult:
    """Write the episodes of several datasets one after another into a new one.

    Args:
        roots: the datasets, of any version, in order.
        new_root: folder of the result.
        join_data: join small data files up to the format's size.
        join_videos: join small video files, without decoding them; those of different codecs stay apart.
        episodes: per dataset the numbers of those to take, all where None.
        work: see `carry_out`.

    Raises:
        DatasetError: rate or robot differ, or the folder is taken; nothing was written.
        FeatureMismatchError: features differ; names each.
    """
    if len(roots) < 2:
        raise DatasetError(f"{len(roots)} datasets were named", expected="two or more to merge")
    plan = merged(roots, join_data=join_data, join_videos=join_videos, episodes=episodes)
    return carry_out(plan, roots[0], new_root, work)


def merged(
    roots: Sequence[Path],
    *,
    join_data: bool = True,
    join_videos: bool = True,
    episodes: Sequence[Sequence[int] | None] | None = None,
) -> EditPlan:
    """Datasets one after another; see `merge`, but a single one will do."""
    sources = [open_source(root) for root in roots]
    info = upgraded_info(sources[0].info)
    for source in sources[1:]:
        _check_alike(info, upgraded_info(source.info), sources[0].root, source.root)
    for key in info.camera_keys:
        _forget_differences(info, key, sources)
    chosen = [None] * len(roots) if episodes is None else episodes
    numbers = [None if each is None else list(each) for each in chosen]
    selections, tasks = select([(s, s.check_episodes(each)) for s, each in zip(sources, numbers, strict=True)])
    # Sources with different statistics, such as from before quantiles, would leave holes in the table.
    columns = {frozenset(name for name in s.columns.names if name.startswith("stats/")) for s in sources}
    fresh = len(columns) > 1 or any(source.info.is_legacy for source in sources)
    return EditPlan(selections, info, tasks, join_data=join_data, join_videos=join_videos, fresh_statistics=fresh)


def _plan_of(source: EditSource, episodes: NDArray[np.int64]) -> EditPlan:
    selections, tasks = select([(source, episodes)])
    return EditPlan(selections, upgraded_info(source.info), tasks, fresh_statistics=source.info.is_legacy)


def _parts(source: EditSource, splits: Mapping[str, float | Sequence[int]]) -> dict[str, NDArray[np.int64]]:
    if not splits:
        raise DatasetError("no split was named", expected='such as --operation.splits="{train: 0.8, val: 0.2}"')
    shares = {name: part for name, part in splits.items() if isinstance(part, (int, float))}
    if shares and len(shares) < len(splits):
        raise DatasetError("splits mix shares and episode numbers", expected="one of the two for all names")
    for name in splits:
        if name in ("", ".", "..") or Path(name).name != name:
            raise DatasetError(f"a split is named {name!r}", expected="a name that can be part of a folder's")
    if not shares:
        parts = {
            name: source.check_episodes(list(part)) for name, part in splits.items() if not isinstance(part, float)
        }
        _check_disjoint(parts)
    else:
        shared = split_episodes(range(len(source.episodes)), shares)
        parts = {name: np.array(part, np.int64) for name, part in shared.items()}
    for name in [name for name, part in parts.items() if not part.size]:
        logger.warning("split %r has no episode of %d and is left out", name, len(source.episodes))
        del parts[name]
    return parts


def _check_disjoint(parts: Mapping[str, NDArray[np.int64]]) -> None:
    owner: dict[int, str] = {}
    for name, part in parts.items():
        for episode in part.tolist():
            if (other := owner.setdefault(episode, name)) != name:
                raise DatasetError(f"episode {episode} is in splits {other!r} and {name!r}", expected="in one of them")


def _check_alike(first: Info, other: Info, first_root: Path, other_root: Path) -> None:
    for entry in ("fps", "robot_type"):
        if getattr(first, entry) != getattr(other, entry):
            raise DatasetError(
                f"{entry} is {getattr(first, entry)!r} in {first_root} and {getattr(other, entry)!r} in {other_root}",
                expected="datasets that agree in it",
            )
    keys = [*first.features, *(key for key in other.features if key not in first.features)]
    different = [key for key in keys if _essence(first.features.get(key)) != _essence(other.features.get(key))]
    if different:
        raise FeatureMismatchError(
            f"{other_root} differs from {first_root} in {', '.join(different)}",
            keys=different,
            expected="the same features, dtypes, shapes and names",
            hint="remove a feature that only one of them has: lerobot edit-dataset --operation.type=remove_feature",
        )


def _essence(feature: Feature | None) -> Any:
    """What must agree: everything but how images were encoded and old spellings."""
    if feature is None:
        return None
    info = {k: v for k, v in (feature.get("info") or {}).items() if k not in _ENCODER_KEYS | _SPELLINGS}
    names = feature["names"]
    names = list(names) if isinstance(names, tuple) else names
    return feature["dtype"], feature["shape"], names, info, is_depth(feature)


def _forget_differences(info: Info, key: str, sources: Sequence[EditSource]) -> None:
    """Encoder settings in which the sources differ describe no file of the result."""
    known = info.features[key].get("info") or {}
    for entry in _ENCODER_KEYS & known.keys():
        values = [(source.info.features[key].get("info") or {}).get(entry) for source in sources]
        if any(value != values[0] for value in values):
            known[entry] = {} if entry == "video.extra_options" else None
