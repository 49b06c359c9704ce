"""Statistics computed anew from the values, also those of actions relative to the state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, Selection, numbered_tasks
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.format.features import NUMERIC_DTYPES
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.datasets.statistics.recompute import read_columns
from lerobot.datasets.statistics.running import RunningStatistics

ACTION, STATE = "action", "observation.state"
DEFAULT_EXCLUDED = ("gripper",)
"""Joints that stay absolute in relative actions."""


def recompute_stats(
    root: Path,
    new_root: Path | None = None,
    *,
    skip_image_video: bool = True,
    relative_action: bool = False,
    relative_exclude_joints: Sequence[str] | None = None,
    chunk_size: int = 50,
    work: ShardedWork | None = None,
) -> EditResult:
    """Compute the statistics of every episode and of the dataset anew.

    Args:
        root: the dataset.
        new_root: see `carry_out`.
        skip_image_video: keep the statistics of images, instead of decoding a sample of them.
        relative_action: make the dataset's statistics of `action` those of actions relative to the state at the begin
            of each chunk, over all chunks within an episode.
        relative_exclude_joints: joints that stay absolute, by a part of their name; `gripper` if None.
        chunk_size: actions in a chunk.
        work: see `carry_out`.

    Raises:
        DatasetError: the dataset is damaged, or no episode is as long as a chunk; nothing was changed.
        FeatureMismatchError: action or state is missing, or they differ in length.
    """
    source = open_source(root)
    info = upgraded_info(source.info)
    episodes = np.arange(len(source.episodes))
    override: Stats = {}
    if relative_action:
        excluded = DEFAULT_EXCLUDED if relative_exclude_joints is None else tuple(relative_exclude_joints)
        override[ACTION] = relative_action_statistics(source, excluded, chunk_size)
    numeric = {key for key, feature in info.features.items() if feature["dtype"] in NUMERIC_DTYPES}
    decoded = frozenset() if skip_image_video else frozenset(info.camera_keys)
    plan = EditPlan(
        [Selection(source, episodes, numbered_tasks(source, episodes))],
        info,
        source.tasks,
        fresh_statistics=True,
        source_statistics=not source.info.is_legacy,
        decoded_statistics=decoded,
        only_statistics=None if source.info.is_legacy else frozenset(numeric | decoded),
        final_statistics=override,
    )
    return carry_out(plan, root, new_root, work)


def relative_action_statistics(
    source: EditSource, excluded: Sequence[str], chunk_size: int
) -> dict[str, NDArray[np.generic]]:
    """Statistics of actions relative to the state at the begin of their chunk.

    For every frame t from which `chunk_size` actions lie within the episode, the values are
    `action[t + k] - state[t]` for 0 <= k < chunk_size; joints that stay absolute have the state left out.

    Args:
        source: a dataset with `action` and `observation.state` of the same length.
        excluded: parts of the names of joints that stay absolute.
        chunk_size: actions in a chunk.

    Returns:
        `(D,)` statistics; `count` is chunks times `chunk_size`.

    Raises:
        DatasetError: `chunk_size` is below 1, or no episode is that long.
        FeatureMismatchError: a feature is missing, or they differ in length.
    """
    features = source.info.features
    missing = [key for key in (ACTION, STATE) if key not in features]
    if missing or features[ACTION]["shape"] != features[STATE]["shape"] or len(features[ACTION]["shape"]) != 1:
        raise FeatureMismatchError(
            f"{source.root} has no {ACTION} and {STATE} of the same length",
            keys=missing or [ACTION, STATE],
            expected="one state per action element",
        )
    if chunk_size < 1:
        raise DatasetError(f"chunk_size is {chunk_size}", expected="1 or more")
    mask = np.array([not any(part in name for part in excluded) for name in _names(source, ACTION)], np.float64)
    episodes = [pair for pair in _episodes(source) if len(pair[0]) >= chunk_size]
    if not episodes:
        longest = int(source.episodes.column("length").max())
        raise DatasetError(f"no episode is as long as chunk_size {chunk_size}", expected=f"at most {longest}")
    # Twice over the episodes, since all chunks together take chunk_size times the memory of the data.
    bounds = [
        (chunks.min(axis=0), chunks.max(axis=0)) for chunks in (_chunks(*pair, mask, chunk_size) for pair in episodes)
    ]
    statistics = RunningStatistics(np.min([low for low, _ in bounds], 0), np.max([high for _, high in bounds], 0))
    for pair in episodes:
        statistics.update(_chunks(*pair, mask, chunk_size))
    return dict(statistics.summary(sum((len(action) - chunk_size + 1) * chunk_size for action, _ in episodes)))


def _names(source: EditSource, key: str) -> list[str]:
    feature = source.info.features[key]
    names = feature["names"]
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    width = int(feature["shape"][0])
    return [str(name) for name in names] if isinstance(names, (list, tuple)) and len(names) == width else [""] * width


def _episodes(source: EditSource) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    features = {key: source.info.features[key] for key in (ACTION, STATE)}
    pairs = []
    for file in source.files:
        columns = read_columns(file.path, features)
        ends = np.cumsum(file.lengths)
        for start, stop in zip((ends - file.lengths).tolist(), ends.tolist(), strict=True):
            action, state = (columns[key][start:stop].astype(np.float64) for key in (ACTION, STATE))
            width = features[ACTION]["shape"][0]
            pairs.append((action.reshape(-1, width), state.reshape(-1, width)))
    return pairs


def _chunks(
    action: NDArray[np.float64], state: NDArray[np.float64], mask: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Relative actions of all chunks of one episode of at least `size` frames, `(chunks * size, D)`."""
    count = len(action) - size + 1
    steps = np.arange(count)[:, None] + np.arange(size)
    values: NDArray[np.float64] = (action[steps] - mask * state[:count, None]).reshape(-1, action.shape[1])
    return values
