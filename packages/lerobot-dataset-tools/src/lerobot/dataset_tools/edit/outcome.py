"""Where an edit's result goes."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.dataset_tools.edit.build import build
from lerobot.dataset_tools.edit.done import DoneShards
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.parts import WORKER, parts_of
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.swap import check_is_free, edit_in_place, write_new
from lerobot.datasets.dataset.edits import EditResult
from lerobot.datasets.format.info import load_info
from lerobot.jobs.job import Results
from lerobot.jobs.plan import Plan

__all__ = ["EditResult", "carry_out"]


def carry_out(plan: EditPlan, root: Path, new_root: Path | None, work: ShardedWork | None = None) -> EditResult:
    """Write the result of a plan.

    Args:
        plan: what to write.
        root: the dataset that it replaces.
        new_root: folder of a new dataset; the result replaces `root`, which stays as backup, if None.
        work: on which engine, in shards of which size; this process does it if None.

    Returns:
        Where the result is.

    Raises:
        DatasetError: nothing was changed; says why.
        JobError: a shard failed for good; what is done is kept, and nothing was changed.
    """
    root = user_path(root)
    if new_root is not None:
        check_is_free(new_root)  # before the work, not after it
    if work is None:
        return _put(plan, root, new_root, build)
    settings = {"request": dict(work.request)}
    rows = [part.to_row() for part in parts_of(plan, work.megabytes)]

    def commit(results: Results, built: Callable[[Path], None]) -> EditResult:
        def write(plan: EditPlan, folder: Path) -> None:
            build(plan, folder, DoneShards(results, work.megabytes))
            built(folder)

        return _put(plan, root, new_root, write)

    return work.run(Plan.of(WORKER, settings, rows), new_root or root, commit)


def _put(plan: EditPlan, root: Path, new_root: Path | None, write: Callable[[EditPlan, Path], object]) -> EditResult:
    """Build the result aside and put it in its place."""
    if new_root is None:
        in_place = replace(plan, in_place=True)
        return EditResult(root, edit_in_place(root, lambda folder: _replace(in_place, root, folder, write)))
    new_root = user_path(new_root)
    write_new(new_root, lambda folder: write(plan, folder))
    return EditResult(new_root)


def _replace(plan: EditPlan, root: Path, folder: Path, write: Callable[[EditPlan, Path], object]) -> None:
    """Build what takes the place of `root`, which nobody writes while this runs."""
    if load_info(root) != plan.selections[0].source.info:
        raise DatasetError(f"{root} changed while the edit was prepared", hint="run it again")
    card = root / "README.md"
    if card.exists():
        shutil.copy2(card, folder)
    write(plan, folder)
