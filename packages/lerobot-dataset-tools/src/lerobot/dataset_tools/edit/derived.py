"""Metadata that contradicts the files, written anew."""

from pathlib import Path

import numpy as np

from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, Selection, numbered_tasks
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.reader.source import open_source
from lerobot.datasets.storage.rows import absent_numbers


def repair(root: Path, new_root: Path | None = None) -> EditResult:
    """Write everything anew that only repeats what the files say, see `lerobot.datasets.checks.derived`.

    Every edit does this; a repair is the edit that does nothing else. Values, images and statistics stay as they are. A
    v2.x dataset becomes v3.0, as by every edit.

    Args:
        root: the dataset.
        new_root: see `carry_out`.

    Raises:
        DatasetError: the dataset is damaged, so that images or values are lost; nothing was changed.
    """
    source = open_source(root)
    episodes = np.arange(len(source.episodes))
    absent = frozenset(name for file in source.files for name in absent_numbers(file))
    plan = EditPlan(
        [Selection(source, episodes, numbered_tasks(source, episodes))],
        upgraded_info(source.info),
        source.tasks,
        fresh_statistics=source.info.is_legacy,
        only_statistics=None if source.info.is_legacy else absent,
    )
    return carry_out(plan, root, new_root)
