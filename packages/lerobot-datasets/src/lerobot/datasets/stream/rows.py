"""Rows of the episodes that are in the pool, and of no others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.arrow import UNREADABLE, to_numpy
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.features import NUMERIC_DTYPES, VIDEO
from lerobot.datasets.format.info import Info
from lerobot.datasets.storage.numbers import column_to_numpy, row_layout
from lerobot.datasets.storage.rows import DataFile, data_files, to_read, with_numbers


class ResidentRows:
    """Serves the reader of frames with rows by dataset position.

    Args:
        info: declarations of the dataset.
        episodes: its episodes.
    """

    def __init__(self, info: Info, episodes: Episodes) -> None:
        self._info = info
        self._episodes = episodes
        self._starts = episodes.column("dataset_from_index")
        self._stops = episodes.column("dataset_to_index")
        self._numeric = [key for key, feature in info.features.items() if feature["dtype"] in NUMERIC_DTYPES]
        self._numbers: dict[int, dict[str, NDArray[Any]]] = {}
        self._objects: dict[int, pa.Table] = {}
        self._file_starts = {
            int(episode): file.start
            for file in data_files(Path(), info, episodes)
            for episode in range(file.first_episode, file.first_episode + len(file.lengths))
        }

    def __len__(self) -> int:
        return int(self._stops[-1]) if len(self._stops) else 0

    @property
    def keys(self) -> list[str]:
        """Numeric features in declared order."""
        return self._numeric

    @property
    def resident(self) -> list[int]:
        """Episodes whose rows are held."""
        return list(self._numbers)

    def admit(self, episode: int, path: Path) -> None:
        """Read the rows of an episode.

        Args:
            episode: its number.
            path: its data file.

        Raises:
            DatasetError: the file is missing or damaged, or holds other rows than the episodes table says.
        """
        table = self._read(episode, path)
        self._numbers[episode] = {}
        for key in self._numeric:
            dtype, shape = row_layout(self._info.features[key])
            values = column_to_numpy(table.column(key), shape, f"{path}: column {key}")
            # A copy, also where the type fits: a view would keep the whole table.
            self._numbers[episode][key] = values.astype(dtype)
        self._objects[episode] = table.drop_columns([*self._numeric])

    def retire(self, episode: int) -> None:
        """Forget the rows of an episode."""
        del self._numbers[episode], self._objects[episode]

    def fetch(self, positions: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        """Values of features at dataset positions, all of one resident episode."""
        found: dict[str, NDArray[Any]] = {}
        for key, wanted in positions.items():
            episode = self._episode_of(wanted)
            found[key] = self._numbers[episode][key][wanted - self._starts[episode]]
        return found

    def rows(self, key: str, positions: NDArray[np.int64]) -> list[Any]:
        """Values of a feature that is not numeric at dataset positions, all of one resident episode."""
        episode = self._episode_of(positions)
        column = self._objects[episode].column(key)
        return [column[place].as_py() for place in (positions - self._starts[episode]).tolist()]

    def _episode_of(self, positions: NDArray[np.int64]) -> int:
        return int(np.searchsorted(self._stops, positions.flat[0], side="right"))

    def _read(self, episode: int, path: Path) -> pa.Table:
        columns = [key for key, feature in self._info.features.items() if feature["dtype"] != VIDEO]
        first = int(self._starts[episode]) - self._file_starts[episode]
        length = int(self._stops[episode] - self._starts[episode])
        part = DataFile(path, int(self._starts[episode]), episode, np.array([length]))
        try:
            with pq.ParquetFile(path) as file:
                stored = to_read(part, columns, file.schema_arrow.names)
                rows = np.array([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)], np.int64)
                ends = np.cumsum(rows)
                groups = np.flatnonzero((ends > first) & (ends - rows < first + length))
                offset = first - int(ends[groups[0]] - rows[groups[0]]) if groups.size else 0
                table = file.read_row_groups(groups.tolist(), columns=stored, use_threads=False)
        except FileNotFoundError as error:
            raise DatasetError(f"{path} is missing, with the rows of episode {episode}") from error
        except UNREADABLE as error:
            raise DatasetError(f"{path} cannot be read: {error}") from error
        table = table.slice(offset, length)
        if table.num_rows != length:
            raise DatasetError(
                f"{path} has {table.num_rows} rows of episode {episode}", expected=f"{length} from row {first}"
            )
        table = with_numbers(table, part, columns, named_by_file=self._info.is_legacy)
        found = to_numpy(table.column("episode_index"))
        if not self._info.is_legacy and (found != episode).any():
            raise DatasetError(f"{path} holds rows of episode {found[found != episode][0]} where {episode} should be")
        return table.select(columns)
