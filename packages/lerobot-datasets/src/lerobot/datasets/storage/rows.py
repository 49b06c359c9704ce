"""Which data file holds which rows, and reading columns of one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.arrow import UNREADABLE, to_numpy
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.features import ROW_NUMBERS
from lerobot.datasets.format.info import Info


@dataclass(frozen=True, slots=True)
class DataFile:
    """Rows of consecutive episodes in one parquet file.

    Attributes:
        path: the file.
        start: dataset position of its first row.
        first_episode: number of its first episode.
        lengths: rows of each of its episodes, int64.
    """

    path: Path
    start: int
    first_episode: int
    lengths: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Committed rows."""
        return int(self.lengths.sum())

    @property
    def stop(self) -> int:
        """Dataset position after its last row."""
        return self.start + self.rows

    @property
    def episodes(self) -> NDArray[np.int64]:
        """Number of each row's episode."""
        return np.repeat(np.arange(self.first_episode, self.first_episode + len(self.lengths)), self.lengths)

    @property
    def numbers(self) -> dict[str, NDArray[np.int64]]:
        """What each of `ROW_NUMBERS` has to be, by the lengths of the episodes."""
        index = np.arange(self.start, self.stop)
        firsts = self.start + np.cumsum(self.lengths) - self.lengths
        frames = index - np.repeat(firsts, self.lengths)
        return dict(zip(ROW_NUMBERS, (frames, self.episodes, index), strict=True))


def data_files(root: Path, info: Info, episodes: Episodes) -> list[DataFile]:
    """The data files of all committed episodes, in order of their rows.

    Raises:
        DatasetError: the episodes of one file do not follow each other.
    """
    if not len(episodes):
        return []
    places = np.stack([episodes.column("data/chunk_index"), episodes.column("data/file_index")], axis=1)
    lengths = episodes.column("length")
    firsts = np.flatnonzero(np.concatenate([[True], (places[1:] != places[:-1]).any(axis=1)]))
    files = []
    for first, end in zip(firsts, [*firsts[1:], len(lengths)], strict=True):
        path = root / info.data_file(int(places[first, 0]), int(places[first, 1]))
        start = int(episodes.column("dataset_from_index")[first])
        files.append(DataFile(path, start, int(first), lengths[first:end]))
    if len({file.path for file in files}) != len(files):
        raise DatasetError(f"{root}: the episodes of one data file do not follow each other")
    return files


def undeclared_columns(file: DataFile, info: Info) -> list[pa.Field]:
    """Columns of a data file that `info.json` does not declare, as annotation tools add them.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    return [field for field in _schema(file) if field.name not in info.features]


def absent_numbers(file: DataFile) -> list[str]:
    """Those of `ROW_NUMBERS` that a data file does not have, and that readers therefore derive.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    names = _schema(file).names
    return [name for name in ROW_NUMBERS if name not in names]


def _schema(file: DataFile) -> pa.Schema:
    try:
        return pq.read_schema(file.path)
    except FileNotFoundError as error:
        raise DatasetError(f"{file.path} is missing, with the rows of {file.rows} frames") from error
    except UNREADABLE as error:
        raise DatasetError(f"{file.path} cannot be read: {error}") from error


def read_rows(file: DataFile, columns: list[str], *, check_episodes: bool) -> pa.Table:
    """Columns of the committed rows of a data file.

    Rows after them belong to a recording that was cut off and are left out. Of `ROW_NUMBERS` those that the file does
    not have are derived, see `with_numbers`.

    Args:
        file: what to read.
        columns: names.
        check_episodes: compare the file's `episode_index` with the episodes table; v2.x files name one episode each and
            are not compared.

    Raises:
        DatasetError: the file is missing, truncated, lacks a column or holds other rows than the episodes table says.
    """
    asked = list(dict.fromkeys([*columns, "episode_index"])) if check_episodes else columns
    try:
        with pq.ParquetFile(file.path, memory_map=True) as parquet:
            table = parquet.read(columns=to_read(file, asked, parquet.schema_arrow.names), use_threads=False)
    except FileNotFoundError as error:
        raise DatasetError(f"{file.path} is missing, with the rows of {file.rows} frames") from error
    except UNREADABLE as error:
        raise DatasetError(f"{file.path} cannot be read: {error}") from error
    if table.num_rows < file.rows:
        raise DatasetError(f"{file.path} has {table.num_rows} rows", expected=f"{file.rows} rows")
    table = table.slice(0, file.rows) if check_episodes else table
    if table.num_rows > file.rows:
        raise DatasetError(f"{file.path} has {table.num_rows} rows", expected=f"{file.rows} rows")
    table = with_numbers(table, file, asked, named_by_file=not check_episodes)
    if check_episodes:
        found, expected = to_numpy(table.column("episode_index")), file.episodes
        if (wrong := np.flatnonzero(found != expected)).size:
            raise DatasetError(
                f"{file.path}: row {wrong[0]} is of episode {found[wrong[0]]}",
                expected=f"episode {expected[wrong[0]]}, as in the episodes table",
            )
    return table.select(columns)


def to_read(file: DataFile, asked: Sequence[str], present: Sequence[str]) -> list[str]:
    """Columns to read for those asked: where a number of the rows has to be derived, with the others, its witnesses.

    Raises:
        DatasetError: a column is missing that nothing else tells.
    """
    missing = [name for name in asked if name not in present]
    if unknown := [name for name in missing if name not in ROW_NUMBERS]:
        raise DatasetError(f"{file.path} lacks the columns {', '.join(unknown)} that info.json declares")
    wanted = [*asked, *ROW_NUMBERS] if missing else asked
    return [name for name in dict.fromkeys(wanted) if name in present]


def with_numbers(table: pa.Table, file: DataFile, asked: Sequence[str], *, named_by_file: bool) -> pa.Table:
    """Rows with those of `ROW_NUMBERS` that their file does not have, from the lengths of the episodes.

    The numbers that the file has must be those that follow from the lengths, and suffice to tell each row's place:
    `index`, or `frame_index` with `episode_index`; otherwise the rows may stand in any order.

    Args:
        table: the rows of `file`, with the columns of `to_read`.
        file: which rows these are.
        asked: columns that are wanted.
        named_by_file: whether the file's name tells the episode, as in v2.x.

    Raises:
        DatasetError: a number cannot be derived without doubt.
    """
    absent = [name for name in asked if name not in table.column_names]
    if not absent:
        return table
    numbers = file.numbers
    lack = f"{file.path} lacks the columns {', '.join(absent)}"
    witnesses = {name for name in ROW_NUMBERS if name in table.column_names}
    for name in sorted(witnesses):  # the episode first: it tells most
        found = to_numpy(table.column(name))
        if (wrong := np.flatnonzero(found != numbers[name])).size:
            row = int(wrong[0])
            raise DatasetError(
                f"{lack}, and {name} of row {row} is {found[row]}",
                expected=f"{numbers[name][row]} by the lengths of the episodes, from which the columns would follow",
            )
    if named_by_file:
        witnesses.add("episode_index")
    if "index" not in witnesses and not {"frame_index", "episode_index"} <= witnesses:
        raise DatasetError(
            f"{lack}, and nothing in it tells the place of each row",
            expected="index, or frame_index and episode_index",
        )
    for name in absent:
        table = table.append_column(name, pa.array(numbers[name]))
    return table
