"""Data files of the result: made by the parts of an edit, or unchanged files as they are."""

import shutil
from pathlib import Path

from lerobot.core.durable import link
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.done import DoneParts
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.row_parts import ROWS_FILE, data_files_of
from lerobot.datasets.writer.compaction import FilePosition


def write_rows(plan: EditPlan, folder: Path, done: DoneParts) -> list[FilePosition]:
    """Write the data files.

    Args:
        plan: the result.
        folder: its folder.
        done: what was written for it.

    Returns:
        The file of each episode.

    Raises:
        DatasetError: a source is damaged or lacks a column.
        OSError: the disk is full.
    """
    places: list[FilePosition] = []
    for place, (members, part) in zip(numbering(plan.info.chunks_size), data_files_of(plan), strict=False):
        check_stop()
        target = folder / plan.info.data_file(*place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if part is None:
            (link if plan.in_place else shutil.copy2)(members[0].file.path, target)
        else:
            made, _ = done.get(part)
            done.hand_over(made / ROWS_FILE, target)
        places += [place] * sum(len(member.lengths) for member in members)
    return places
