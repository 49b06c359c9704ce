"""Where an edit's result goes."""

import shutil
from dataclasses import replace
from pathlib import Path

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.dataset_tools.edit.build import build
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.swap import edit_in_place, write_new
from lerobot.datasets.dataset.edits import EditResult
from lerobot.datasets.format.info import load_info

__all__ = ["EditResult", "carry_out"]


def carry_out(plan: EditPlan, root: Path, new_root: Path | None) -> EditResult:
    """Write the result of a plan.

    Args:
        plan: what to write.
        root: the dataset that it replaces.
        new_root: folder of a new dataset; the result replaces `root`, which stays as backup, if None.

    Returns:
        Where the result is.

    Raises:
        DatasetError: nothing was changed; says why.
    """
    root = user_path(root)
    if new_root is None:
        in_place = replace(plan, in_place=True)
        return EditResult(root, edit_in_place(root, lambda folder: _replace(in_place, root, folder)))
    new_root = user_path(new_root)
    write_new(new_root, lambda folder: build(plan, folder))
    return EditResult(new_root)


def _replace(plan: EditPlan, root: Path, folder: Path) -> None:
    """Build what takes the place of `root`, which nobody writes while this runs."""
    if load_info(root) != plan.selections[0].source.info:
        raise DatasetError(f"{root} changed while the edit was prepared", hint="run it again")
    build(plan, folder)
    card = root / "README.md"
    if card.exists():
        shutil.copy2(card, folder)
