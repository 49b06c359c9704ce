"""Edits of whole datasets: what installed packages bring under names, and what an edit hands back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from lerobot.core.registry import registry
from lerobot.core.words import counted
from lerobot.datasets.format.info import load_info


@dataclass(frozen=True, slots=True)
class EditResult:
    """A finished edit.

    Attributes:
        root: folder of the result.
        backup: the original, where the result took its place; None if it is a new dataset.
    """

    root: Path
    backup: Path | None = None

    def summary(self) -> str:
        """One line: where the result is, and how much it holds."""
        info = load_info(self.root)
        text = f"{self.root}: {counted(info.total_episodes, 'episode')}, {counted(info.total_frames, 'frame')}"
        return f"{text}; the state before is in {self.backup}" if self.backup else text


class DatasetEdit(Protocol):
    """What an entry point of `lerobot.dataset_edits` names.

    The first argument is the folder of the dataset, or a list of folders. The dataset is replaced in one step and stays
    as backup, unless `new_root` names the folder of a new one. Whatever goes wrong, nothing was changed.
    """

    def __call__(self, root: Any, *arguments: Any, new_root: Path | None, **settings: Any) -> EditResult:
        """Carry the edit out."""
        ...


def dataset_edit(name: str) -> DatasetEdit:
    """The edit of a name.

    Raises:
        PluginNotInstalledError: the package that brings it is not installed; says how to install it.
        PluginError: nobody brings it, or several do.
    """
    return cast("DatasetEdit", registry.config_class("dataset_edit", name))
