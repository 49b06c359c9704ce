"""New instructions for episodes that are already recorded."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, Selection
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.format.tasks import Tasks
from lerobot.datasets.reader.source import open_source


def modify_tasks(
    root: Path,
    *,
    new_task: str | None = None,
    episode_tasks: Mapping[int, str] | None = None,
    task_replacements: Mapping[str, str] | None = None,
    new_root: Path | None = None,
) -> EditResult:
    """Give frames other instructions.

    An episode named in `episode_tasks` gets that one; elsewhere a text in `task_replacements` gets its replacement, and
    any other text becomes `new_task`, if that is given. Only data files with frames that change their number are
    written; a text that is replaced everywhere keeps its number.

    Args:
        root: the dataset.
        new_task: for everything that the others do not name.
        episode_tasks: by episode.
        task_replacements: by present text.
        new_root: see `carry_out`.

    Raises:
        DatasetError: nothing was asked for, or an episode or text does not exist; nothing was changed.
    """
    source = open_source(root)
    by_episode, by_text = dict(episode_tasks or {}), dict(task_replacements or {})
    if new_task is None and not by_episode and not by_text:
        raise DatasetError("no new task was given", expected="new_task, episode_tasks or task_replacements")
    if any(not text.strip() for text in (*by_episode.values(), *by_text.values(), new_task or "x")):
        raise DatasetError("a new task is empty", expected="the instruction in words")
    source.check_episodes(list(by_episode))
    if unknown := [text for text in by_text if text not in source.tasks]:
        raise DatasetError(f"{root} has no task {unknown[0]!r}", expected=", ".join(map(repr, source.tasks.names)))
    old = source.task_numbers()
    table = Tasks(source.tasks)
    target = [table.add(by_text.get(text, new_task if new_task is not None else text)) for text in source.tasks]
    new = np.array(target, np.int64)[old]
    starts, stops = source.episodes.column("dataset_from_index"), source.episodes.column("dataset_to_index")
    for episode, text in by_episode.items():
        new[starts[episode] : stops[episode]] = table.add(text)
    tasks, numbers = _keep_numbers(source.tasks, table, old, new)
    selection = Selection(source, np.arange(len(source.episodes)), numbers)
    only = None if source.info.is_legacy else frozenset({"task_index"})
    info, fresh = upgraded_info(source.info), source.info.is_legacy
    plan = EditPlan([selection], info, tasks, fresh_statistics=fresh, only_statistics=only)
    return carry_out(plan, root, new_root)


def _keep_numbers(
    before: Tasks, table: Tasks, old: NDArray[np.int64], new: NDArray[np.int64]
) -> tuple[Tasks, NDArray[np.int64]]:
    """The smallest change of numbers: a text that leaves hands its number to the one that took its frames.

    Args:
        before: the tasks so far.
        table: those and the new ones.
        old: number of each frame in `before`.
        new: number of each frame in `table`.

    Returns:
        The tasks that are used, and the number of each frame among them.
    """
    used = set(np.unique(new).tolist())
    slots: list[int | None] = [number if number in used else None for number in range(len(before))]
    pairs = np.unique(np.stack([old, new], axis=1), axis=0).tolist()
    for number, successor in pairs:
        if slots[number] is None and successor not in slots:
            slots[number] = successor
    slots += [number for number in sorted(used) if number not in slots]
    final = [number for number in slots if number is not None]
    position = np.zeros(len(table), np.int64)
    position[final] = np.arange(len(final))
    return Tasks(table.name(number) for number in final), position[new]
