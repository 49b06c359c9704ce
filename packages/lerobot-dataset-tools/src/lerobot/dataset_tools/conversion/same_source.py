"""Whether an interrupted import and its source still belong together."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.conversion.plan import ImportPlan
from lerobot.datasets.format.episodes import load_episodes
from lerobot.datasets.format.features import CAMERA_DTYPES, STRING
from lerobot.datasets.format.info import load_info
from lerobot.datasets.format.tasks import load_tasks
from lerobot.datasets.storage.numbers import column_to_numpy
from lerobot.datasets.storage.rows import data_files, read_rows

COMPARED_EPISODES = 10
"""Saved episodes that are compared: the first, the last and some between."""

Frames = Callable[[int, list[str] | None], Iterator[dict[str, Any]]]
"""From the number of an episode and some features to its frames in the source."""


def check_same_source(root: Path, frames: Frames, total_episodes: int, plan: ImportPlan) -> None:
    """Compare saved episodes with the source, value by value; images are left alone.

    Args:
        root: the dataset.
        frames: frames of the source.
        total_episodes: episodes of the source.
        plan: what becomes what.

    Raises:
        DatasetError: the dataset has more episodes, or one that differs; names it. Or either is damaged.
    """
    info = load_info(root)
    episodes, tasks = load_episodes(root, info), load_tasks(root, info)
    saved = info.total_episodes
    if saved > total_episodes:
        raise _other(root, f"has {saved} episodes and the source {total_episodes}")
    columns = [key for key, feature in plan.features.items() if feature["dtype"] not in CAMERA_DTYPES]
    files = data_files(root, info, episodes)
    for number in sorted(set(np.linspace(0, saved - 1, COMPARED_EPISODES).round().astype(int))) if saved else []:
        first, end = (int(episodes.column(f"dataset_{side}_index")[number]) for side in ("from", "to"))
        file = next(file for file in files if file.start <= first < file.stop)
        table = read_rows(file, [*columns, "task_index"], check_episodes=True).slice(first - file.start, end - first)
        stored: dict[str, Any] = {"task": [tasks.name(index) for index in table.column("task_index").to_pylist()]}
        for key in columns:
            feature = plan.features[key]
            shape = () if feature["shape"] == (1,) else feature["shape"]
            column = table.column(key)
            stored[key] = column.to_pylist() if feature["dtype"] == STRING else column_to_numpy(column, shape, key)
        if difference := _difference(stored, frames(int(number), columns), end - first):
            raise _other(root, f"has another episode {number}: {difference}")


def _difference(stored: dict[str, Any], frames: Iterator[dict[str, Any]], length: int) -> str:
    """What differs first; empty if nothing does."""
    count = 0
    for row, frame in enumerate(frames):
        if row >= length:
            return f"it has {length} frames, the source more"
        for key, values in stored.items():
            if not _equal(values[row], frame[key]):
                return f"{key} of frame {row} is {values[row]}, in the source {frame[key]}"
        count += 1
    return "" if count == length else f"it has {length} frames, the source {count}"


def _equal(stored: Any, given: npt.NDArray[Any] | str) -> bool:
    if isinstance(given, str):
        return bool(stored == given)
    return np.array_equal(np.ravel(stored), np.ravel(given))


def _other(root: Path, what: str) -> DatasetError:
    return DatasetError(
        f"{root} {what}",
        expected="the result of importing the same source with the same flags",
        hint="import into a new folder; what is saved stays as it is",
    )
