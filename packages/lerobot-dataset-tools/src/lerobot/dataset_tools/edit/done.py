"""Parts of an edit that are done: here, when they are asked for, or before, by an engine."""

import itertools
import shutil
from pathlib import Path
from typing import Any, Protocol

from lerobot.core.durable import link
from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.dataset_tools.edit.parts import Part, do_part
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.row_parts import RowsPart
from lerobot.jobs.job import Results


class DoneParts(Protocol):
    """Gives what parts came to.

    Attributes:
        megabytes: of source files for each part.
    """

    megabytes: float

    def get(self, part: Part | RowsPart) -> tuple[Path, dict[str, Any]]:
        """Files and data of a part; see `do_part`.

        Raises:
            DatasetError: it could not be done.
        """
        ...

    def hand_over(self, path: Path, target: Path) -> None:
        """Make a file of a part one of the result."""
        ...

    def let_go(self, path: Path) -> None:
        """A file of a part is no longer needed."""
        ...


class DoneHere:
    """Does a part when it is asked for; see `DoneParts`.

    Args:
        drafts: an empty folder on the file system of the result.
        plan: the edit.
    """

    def __init__(self, drafts: Path, plan: EditPlan) -> None:
        sources = (selection.source for selection in plan.selections)
        self._sources = {str(source.root.absolute()): source for source in sources}
        self.megabytes = SHARD_MEGABYTES
        self._folders = (drafts / str(number) for number in itertools.count())

    def get(self, part: Part | RowsPart) -> tuple[Path, dict[str, Any]]:
        """See `DoneParts.get`."""
        folder = next(self._folders)
        folder.mkdir()
        return folder, do_part(part, self._sources.__getitem__, folder)

    def hand_over(self, path: Path, target: Path) -> None:
        """See `DoneParts.hand_over`."""
        shutil.move(path, target)

    def let_go(self, path: Path) -> None:
        """See `DoneParts.let_go`."""
        path.unlink()


class DoneShards:
    """Knows what an engine did; its files stay until the result is in place. See `DoneParts`.

    Args:
        results: of the shards.
        megabytes: see `DoneParts`.
    """

    def __init__(self, results: Results, megabytes: float) -> None:
        self.megabytes = megabytes
        self._results = results

    def get(self, part: Part | RowsPart) -> tuple[Path, dict[str, Any]]:
        """See `DoneParts.get`."""
        result = self._results.of_row(part.to_row())
        return result.folder, result.data

    def hand_over(self, path: Path, target: Path) -> None:
        """See `DoneParts.hand_over`."""
        link(path, target)

    def let_go(self, path: Path) -> None:
        """See `DoneParts.let_go`."""
