"""Which data file holds which rows, and reading columns of one file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.arrow import UNREADABLE, to_numpy
from lerobot.datasets.format.episodes import Episodes
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
    try:
        return [field for field in pq.read_schema(file.path) if field.name not in info.features]
    except FileNotFoundError as error:
        raise DatasetError(f"{file.path} is missing, with the rows of {file.rows} frames") from error
    except UNREADABLE as error:
        raise DatasetError(f"{file.path} cannot be read: {error}") from error


def read_rows(file: DataFile, columns: list[str], *, check_episodes: bool) -> pa.Table:
    """Columns of the committed rows of a data file.

    Rows after them belong to a recording that was cut off and are left out.

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
            missing = [name for name in asked if name not in parquet.schema_arrow.names]
            if missing:
                raise DatasetError(f"{file.path} lacks the columns {', '.join(missing)} that info.json declares")
            table = parquet.read(columns=asked, use_threads=False)
    except FileNotFoundError as error:
        raise DatasetError(f"{file.path} is missing, with the rows of {file.rows} frames") from error
    except UNREADABLE as error:
        raise DatasetError(f"{file.path} cannot be read: {error}") from error
    if table.num_rows < file.rows:
        raise DatasetError(f"{file.path} has {table.num_rows} rows", expected=f"{file.rows} rows")
    table = table.slice(0, file.rows) if check_episodes else table
    if table.num_rows > file.rows:
        raise DatasetError(f"{file.path} has {table.num_rows} rows", expected=f"{file.rows} rows")
    if check_episodes:
        found, expected = to_numpy(table.column("episode_index")), file.episodes
        if (wrong := np.flatnonzero(found != expected)).size:
            raise DatasetError(
                f"{file.path}: row {wrong[0]} is of episode {found[wrong[0]]}",
                expected=f"episode {expected[wrong[0]]}, as in the episodes table",
            )
    return table.select(columns)
