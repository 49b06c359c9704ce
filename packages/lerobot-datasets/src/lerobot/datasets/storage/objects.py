"""Columns that are not numbers (encoded images, texts, language annotations), read from memory-mapped tables.

A parquet row cannot be read without its neighbours, so a data file's columns are laid out once as an Arrow file that
can be mapped, when one of its rows is first wanted. The Arrow files live in a folder that the workers of the process
which opened the dataset share and that goes away with it.
"""

import os
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.features import IMAGE, LANGUAGE, STRING, FeatureMap
from lerobot.datasets.storage.rows import DataFile, read_rows

OPEN_TABLES = 64
"""Most Arrow files mapped at a time, one file descriptor each."""


class ObjectColumns:
    """Rows of every feature that is not numeric, by dataset position.

    Args:
        files: data files in order of their rows.
        features: declarations; numeric and video ones are left alone.
        check_episodes: see `read_rows`.
    """

    def __init__(self, files: Sequence[DataFile], features: FeatureMap, *, check_episodes: bool) -> None:
        self.keys = [key for key, feature in features.items() if feature["dtype"] in {IMAGE, STRING, LANGUAGE}]
        self._files = files
        self._check_episodes = check_episodes
        self._starts = np.array([file.start for file in files], np.int64)
        self._tables: OrderedDict[int, pa.Table] = OrderedDict()
        self._folder: Path | None = None
        if self.keys:
            self._folder = Path(tempfile.mkdtemp(prefix="lerobot-rows-"))
            weakref.finalize(self, _remove, self._folder, os.getpid())

    def __getstate__(self) -> dict[str, Any]:
        """Without the mapped tables, which another process maps for itself."""
        return {**self.__dict__, "_tables": OrderedDict()}

    def rows(self, key: str, positions: NDArray[np.int64]) -> list[Any]:
        """Values of one feature at dataset positions, as Python objects.

        Images are mappings with `bytes` and `path`, language annotations lists of mappings.

        Raises:
            DatasetError: a file is missing or damaged; see `read_rows`.
        """
        values = []
        for position in positions.tolist():
            number = int(np.searchsorted(self._starts, position, side="right")) - 1
            row = position - self._files[number].start
            values.append(self._table(number).column(key)[row].as_py())
        return values

    def _table(self, number: int) -> pa.Table:
        if number in self._tables:
            self._tables.move_to_end(number)
            return self._tables[number]
        if self._folder is None:
            raise DatasetError("the dataset has no columns other than numbers")
        path = self._folder / f"{number}.arrow"
        if not path.exists():
            self._lay_out(number, path)
        with pa.memory_map(str(path)) as source:
            self._tables[number] = pa.ipc.open_file(source).read_all()
        if len(self._tables) > OPEN_TABLES:
            self._tables.popitem(last=False)
        return self._tables[number]

    def _lay_out(self, number: int, path: Path) -> None:
        table = read_rows(self._files[number], self.keys, check_episodes=self._check_episodes)
        # Under a name of its own first: a sibling must never map a file that is half written.
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
            draft.replace(path)
        except OSError as error:
            raise DatasetError(
                f"cannot lay out {self._files[number].path} in {path.parent}: {error}",
                hint="Make room there, or set TMPDIR to a folder with more room.",
            ) from error


def _remove(folder: Path, owner: int) -> None:
    # Forked workers inherit the finalizer; the folder is their parent's.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
