"""A dataset that episodes are taken from: its metadata with every column, of any version."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import UNREADABLE
from lerobot.datasets.format.episodes import META_POSITION_COLUMNS, Episodes, each_episode_stats, load_episodes
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.format.stats_json import flatten_stats
from lerobot.datasets.format.tasks import Tasks, load_tasks
from lerobot.datasets.storage.numbers import column_to_numpy
from lerobot.datasets.storage.rows import DataFile, data_files, read_rows

_AT_ONCE = 500
"""Rows of the episodes table that are read at a time: with their statistics, some megabytes."""


@dataclass(frozen=True, slots=True)
class EditSource:
    """What an edit needs to know of a dataset; nothing is decoded and no row read.

    Attributes:
        root: its folder.
        info: its declarations.
        tasks: its instructions.
        episodes: its committed episodes, checked.
        files: its data files, in order of their rows.
        columns: of `rows`.
        legacy_rows: those of a v2.x dataset, whose statistics stand in one file; None else.
    """

    root: Path
    info: Info
    tasks: Tasks
    episodes: Episodes
    files: list[DataFile]
    columns: pa.Schema
    legacy_rows: pa.Table | None

    def rows(self) -> Iterator[pa.Table]:
        """The episodes with every column: statistics and annotations too, without `META_POSITION_COLUMNS`.

        Yields:
            Some rows at a time, in order, all with the columns `columns`.

        Raises:
            DatasetError: a file is damaged.
        """
        if self.legacy_rows is not None:
            yield self.legacy_rows
            return
        left, none = self.info.total_episodes, self.columns.empty_table()
        for path, _ in _episode_files(self.root, self.info):
            try:
                with pq.ParquetFile(path, memory_map=True) as file:
                    for batch in file.iter_batches(_AT_ONCE):
                        table = _without_position(pa.Table.from_batches([batch]).slice(0, left))
                        left -= table.num_rows
                        yield pa.concat_tables([none, table], promote_options="permissive")
            except UNREADABLE as error:
                raise DatasetError(f"{path} cannot be read: {error}") from error

    def check_episodes(self, episodes: list[int] | None) -> NDArray[np.int64]:
        """Episode numbers, ascending and once each; all if None.

        Raises:
            DatasetError: an episode does not exist; names every one.
        """
        if episodes is None:
            return np.arange(len(self.episodes))
        unknown = sorted({episode for episode in episodes if not 0 <= episode < len(self.episodes)})
        if unknown:
            raise DatasetError(
                f"{self.root} has no episode {', '.join(map(str, unknown))}",
                expected=f"numbers from 0 to {len(self.episodes) - 1}",
            )
        return np.array(sorted(set(episodes)), np.int64)

    def task_numbers(self) -> NDArray[np.int64]:
        """The `task_index` of every committed frame.

        Raises:
            DatasetError: a data file is damaged, or a frame names a task that the table does not have.
        """
        parts = [
            column_to_numpy(self.read(file, ["task_index"]).column("task_index"), (), str(file.path))
            for file in self.files
        ]
        numbers = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self.tasks):
            raise DatasetError(
                f"{self.root}: a frame has task_index {numbers.max()}", expected=f"0 to {len(self.tasks) - 1}"
            )
        return numbers

    def read(self, file: DataFile, columns: list[str]) -> pa.Table:
        """Columns of the committed rows of one data file; see `read_rows`."""
        return read_rows(file, columns, check_episodes=not self.info.is_legacy)


def open_source(root: Path) -> EditSource:
    """Read the metadata of a dataset of any version.

    Raises:
        DatasetError: there is no dataset, it has no episode, or it is damaged.
    """
    root = user_path(root)
    info = load_info(root)
    episodes = load_episodes(root, info)
    if not len(episodes):
        raise DatasetError(f"{root} has no episode, so there is nothing to edit")
    files = data_files(root, info, episodes)
    legacy = _legacy_rows(root, info, episodes) if info.is_legacy else None
    columns = _columns(root, info) if legacy is None else legacy.schema
    return EditSource(root, info, load_tasks(root, info), episodes, files, columns, legacy)


def _columns(root: Path, info: Info) -> pa.Schema:
    schemas = [_without_position(schema.empty_table()).schema for _, schema in _episode_files(root, info)]
    return pa.unify_schemas(schemas, promote_options="permissive")


def _episode_files(root: Path, info: Info) -> Iterator[tuple[Path, pa.Schema]]:
    """The files of the episodes table with their columns, up to the one with the last committed episode."""
    rows = 0
    for _, _, path in layout.numbered_files(root / "meta/episodes"):
        if rows >= info.total_episodes:
            return
        try:
            metadata = pq.read_metadata(path, memory_map=True)
            schema = metadata.schema.to_arrow_schema()
        except UNREADABLE as error:
            raise DatasetError(f"{path} cannot be read: {error}") from error
        rows += metadata.num_rows
        yield path, schema


def _without_position(table: pa.Table) -> pa.Table:
    there = [name for name in META_POSITION_COLUMNS if name in table.schema.names]
    return numbers_as_double(table.replace_schema_metadata().drop_columns(there))


def numbers_as_double(table: pa.Table) -> pa.Table:
    """The episodes table with all statistics but counts as doubles; those of booleans were booleans once."""
    for i, field in enumerate(table.schema):
        if field.name.startswith("stats/") and not field.name.endswith("/count"):
            values = table.column(i).cast(_doubles(field.type))
            table = table.set_column(i, pa.field(field.name, values.type), values)
    return table


def _doubles(type_: pa.DataType) -> pa.DataType:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return pa.list_(_doubles(type_.value_type)) if any(is_list(type_) for is_list in lists) else pa.float64()


def _legacy_rows(root: Path, info: Info, episodes: Episodes) -> pa.Table:
    flat = [flatten_stats(stats) for stats in each_episode_stats(root, info)]
    names = dict.fromkeys(name for row in flat for name in row)
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in flat] for name in names}
    table = episodes.table
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return numbers_as_double(table)
