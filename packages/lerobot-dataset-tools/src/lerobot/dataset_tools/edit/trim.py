"""Episodes without their first or last moments, such as those before the arm moves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, Selection, numbered_tasks
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.reader.source import EditSource, open_source

_OF_FRAMES = ("_frames", "_times")
"""How columns of the episodes table end that count frames or seconds from the begin of the episode."""


def trim(
    root: Path,
    new_root: Path | None = None,
    *,
    start_s: float = 0.0,
    end_s: float = 0.0,
    episodes: Sequence[int] | None = None,
    work: ShardedWork | None = None,
) -> EditResult:
    """Cut the begin and the end of episodes off.

    The frames that stay keep every value and image under new numbers and times from 0. Their videos are copied where
    they then begin with a key frame, and encoded anew without loss where not. All statistics are computed anew.

    Args:
        root: the dataset.
        new_root: see `carry_out`.
        start_s: seconds to cut off at the begin, rounded to whole frames.
        end_s: seconds to cut off at the end, likewise.
        episodes: numbers of those to trim; all if None.
        work: see `carry_out`.

    Raises:
        DatasetError: nothing would be cut off, an episode does not exist or would have no frame left, or annotations of
            the episodes count frames; nothing was changed.
    """
    source = open_source(root)
    cut = np.array([round(seconds * source.info.fps) for seconds in (start_s, end_s)], np.int64)
    if cut.min() < 0 or not cut.any():
        raise DatasetError(
            f"{start_s:g} s at the begin and {end_s:g} s at the end are {cut[0]} and {cut[1]} frames",
            expected="at least one frame to cut off",
        )
    everything = np.arange(len(source.episodes))
    trims = np.zeros((len(everything), 2), np.int64)
    trims[source.check_episodes(None if episodes is None else list(episodes))] = cut
    _check(source, trims)
    plan = EditPlan(
        [Selection(source, everything, numbered_tasks(source, everything, trims), trims)],
        upgraded_info(source.info),
        source.tasks,
        fresh_statistics=True,
        decoded_statistics=frozenset(source.info.camera_keys),
    )
    return carry_out(plan, root, new_root, work)


def _check(source: EditSource, trims: NDArray[np.int64]) -> None:
    left = source.episodes.column("length") - trims.sum(axis=1)
    if (short := np.flatnonzero(left < 1)).size:
        length = int(source.episodes.column("length")[short[0]])
        raise DatasetError(
            f"episode {short[0]} has {length} frames, of which {trims[short[0]].sum()} would be cut off",
            expected="at least one that stays",
            hint="Delete the episode, or trim only others.",
        )
    if counting := [name for name in source.columns.names if name.endswith(_OF_FRAMES)]:
        raise DatasetError(
            f"{source.root} has annotations that count frames or seconds of its episodes: {', '.join(counting)}",
            expected="episodes without them, which trimming would make wrong",
        )
