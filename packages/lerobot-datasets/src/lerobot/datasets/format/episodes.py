"""The episodes table: where each episode's rows and images are, in one form for every version."""

import itertools
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.words import numbers_of
from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import UNREADABLE, join_tables, to_numpy
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.jsonl import read_jsonl
from lerobot.datasets.format.real_places import real_chunks
from lerobot.datasets.format.stats_json import Stats, stats_from_json, unflatten_stats

logger = logging.getLogger(__name__)

_AT_ONCE = 500
"""Rows whose statistics are in memory at a time."""


def episodes_schema(video_keys: list[str]) -> pa.Schema:
    """Columns of the v3.0 table without statistics, in the order the recorder writes them.

    Args:
        video_keys: features stored as video.
    """
    fields = [
        pa.field("episode_index", pa.int64()),
        pa.field("tasks", pa.list_(pa.string())),
        pa.field("length", pa.int64()),
        pa.field("data/chunk_index", pa.int64()),
        pa.field("data/file_index", pa.int64()),
        pa.field("dataset_from_index", pa.int64()),
        pa.field("dataset_to_index", pa.int64()),
    ]
    for key in video_keys:
        fields += [pa.field(f"videos/{key}/{name}", pa.int64()) for name in ("chunk_index", "file_index")]
        fields += [pa.field(f"videos/{key}/{name}", pa.float64()) for name in ("from_timestamp", "to_timestamp")]
    return pa.schema(fields)


META_POSITION_COLUMNS = ("meta/episodes/chunk_index", "meta/episodes/file_index")
"""Last columns of a row: the episodes file it stands in."""


class Episodes:
    """Committed episodes, in order; row position is the episode number.

    A row has the columns of `episodes_schema`. `episodes[3]` is that row as a mapping, `episodes["length"]` a column as
    list, `column("length")` the same as array. In v2.x datasets, where every episode is a file, `file_index` is the
    episode and `from_timestamp` is 0.

    Args:
        table: the columns above; others are kept.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, key: str) -> list[Any]: ...

    def __getitem__(self, key: int | str) -> dict[str, Any] | list[Any]:
        """One episode's row by number, or one column by name."""
        if isinstance(key, str):
            column: list[Any] = self._table.column(key).to_pylist()
            return column
        if not -len(self) <= key < len(self):
            raise DatasetError(f"episode {key} does not exist", expected=numbers_of(len(self)))
        row: dict[str, Any] = self._table.slice(key % len(self), 1).to_pylist()[0]
        return row

    @property
    def column_names(self) -> list[str]:
        """Columns of the table."""
        return list(self._table.column_names)

    @property
    def table(self) -> pa.Table:
        """The table itself."""
        return self._table

    def column(self, name: str) -> NDArray[Any]:
        """A numeric column as array of N episodes; made once."""
        if name not in self._columns:
            self._columns[name] = to_numpy(self._table.column(name))
        return self._columns[name]

    def data_files(self) -> list[tuple[int, int]]:
        """Chunk and file numbers of the data files that committed episodes use, in order of their rows."""
        pairs = zip(self.column("data/chunk_index").tolist(), self.column("data/file_index").tolist(), strict=True)
        return list(dict.fromkeys(pairs))


def load_episodes(root: Path, info: Info) -> Episodes:
    """Read the episodes table of any version, without its statistics.

    Rows and files beyond `info.total_episodes` belong to a recording that was cut off and are ignored.

    Raises:
        DatasetError: the table is missing, damaged, or has fewer episodes than `info.json` promises.
    """
    if info.is_legacy:
        return _load_legacy(root, info)
    schema = episodes_schema(info.video_keys)
    if info.total_episodes == 0:
        return Episodes(schema.empty_table())
    paths = [path for _, _, path in layout.numbered_files(root / "meta/episodes")]
    table = join_tables(_committed(paths, info, schema)) if paths else None
    rows = 0 if table is None else table.num_rows
    if table is None or rows < info.total_episodes:
        raise DatasetError(
            f"{root}/meta/episodes has {rows} episodes, info.json promises {info.total_episodes}",
            expected="one row per episode",
        )
    table = table.slice(0, info.total_episodes)
    _check_rows(table, root, info)
    return Episodes(table)


def _committed(paths: Sequence[Path], info: Info, schema: pa.Schema) -> Iterator[pa.Table]:
    """The files' tables up to the one with the last committed episode."""
    rows = 0
    for path in paths:
        if rows >= info.total_episodes:
            return
        table = _read_columns(path, schema)
        rows += table.num_rows
        yield table


def _read_columns(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            present = set(file.schema_arrow.names)
            optional = [name for name in META_POSITION_COLUMNS if name in present]
            table = file.read(columns=[name for name in schema.names if name in present] + optional)
    except UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    missing = [name for name in schema.names if name not in present and name != "tasks"]
    if missing:
        raise DatasetError(f"{path} lacks the columns {', '.join(missing)}", expected="an episodes table of v3.0")
    if "tasks" not in present:
        # The peer's image-to-video conversion leaves the column out; the frames still carry their task_index.
        table = table.append_column("tasks", pa.array([[]] * table.num_rows, pa.list_(pa.string())))
    fields = [*schema, *(pa.field(name, pa.int64()) for name in META_POSITION_COLUMNS)]
    columns = [
        table.column(field.name) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in fields
    ]
    try:
        return pa.table(columns, names=[field.name for field in fields]).cast(pa.schema(fields))
    except pa.ArrowException as error:
        raise DatasetError(f"{path} has columns of unexpected types: {error}") from error


def _check_rows(table: pa.Table, root: Path, info: Info) -> None:
    """Refuse rows whose numbers contradict each other: every lookup would return another episode's frames."""
    names = ("episode_index", "length", "dataset_from_index", "dataset_to_index")
    numbers, lengths, starts, ends = (to_numpy(table.column(name)) for name in names)
    if not np.array_equal(numbers, np.arange(len(numbers))):
        row = int(np.flatnonzero(numbers != np.arange(len(numbers)))[0])
        raise DatasetError(
            f"{root}/meta/episodes: row {row} is episode {numbers[row]}", expected=f"episodes 0 to {len(numbers) - 1}"
        )
    wrong = np.flatnonzero((ends - starts != lengths) | (starts != np.concatenate([[0], ends[:-1]])) | (lengths < 1))
    if wrong.size:
        i = int(wrong[0])
        raise DatasetError(
            f"{root}/meta/episodes: episode {i} has length {lengths[i]} and rows {starts[i]} to {ends[i]}",
            expected="at least one row, directly after those of the episode before",
        )
    if int(ends[-1]) != info.total_frames:
        # The episodes are checked against the data files when those are read, so they are the ones to believe.
        logger.warning("%s: info.json counts %d frames, its episodes %d", root, info.total_frames, ends[-1])


def _load_legacy(root: Path, info: Info) -> Episodes:
    path = root / layout.LEGACY_EPISODES_PATH
    schema = episodes_schema(info.video_keys)
    if info.total_episodes == 0:
        return Episodes(schema.empty_table())
    try:
        rows = {int(row["episode_index"]): row for row in read_jsonl(path)}
        lengths = np.array([int(rows[i]["length"]) for i in range(info.total_episodes)], np.int64)
        tasks = [[str(task) for task in rows[i].get("tasks", [])] for i in range(info.total_episodes)]
    except KeyError as error:
        raise DatasetError(
            f"{path}: {error.args[0]!r} is missing", expected=f"lines for episodes 0 to {info.total_episodes - 1}"
        ) from error
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error
    numbers = np.arange(info.total_episodes, dtype=np.int64)
    ends = np.cumsum(lengths)
    columns: dict[str, Any] = {
        "episode_index": numbers,
        "tasks": tasks,
        "length": lengths,
        "data/chunk_index": real_chunks(root, info.data_path, len(numbers), info.chunks_size),
        "data/file_index": numbers,
        "dataset_from_index": ends - lengths,
        "dataset_to_index": ends,
    }
    for key in info.video_keys:
        template = info.video_path or ""
        columns[f"videos/{key}/chunk_index"] = real_chunks(root, template, len(numbers), info.chunks_size, key)
        columns[f"videos/{key}/file_index"] = numbers
        columns[f"videos/{key}/from_timestamp"] = np.zeros(len(numbers))
        columns[f"videos/{key}/to_timestamp"] = lengths / info.fps
    table = pa.table(columns, schema=schema)
    _check_rows(table, root, info)
    return Episodes(table)


def each_episode_stats(root: Path, info: Info, features: Collection[str] | None = None) -> Iterator[Stats]:
    """Statistics of every committed episode, in order; empty mappings where a version has none (v2.0).

    Args:
        root: the dataset's folder.
        info: its declarations and totals.
        features: those whose statistics are wanted; all if None.

    Raises:
        DatasetError: the files are missing or damaged.
    """
    if info.version == (2, 0):
        yield from ({} for _ in range(info.total_episodes))
        return
    if info.is_legacy:
        path = root / layout.LEGACY_EPISODES_STATS_PATH
        by_episode = {row.get("episode_index"): row.get("stats") for row in read_jsonl(path)}
        for episode in range(info.total_episodes):
            stats = stats_from_json(by_episode.get(episode) or {}, f"{path} episode {episode}")
            yield {key: stats[key] for key in stats if features is None or key in features}
        return
    rows = itertools.chain.from_iterable(
        _stats_of_file(path, features) for _, _, path in layout.numbered_files(root / "meta/episodes")
    )
    yield from itertools.islice(rows, info.total_episodes)


def _stats_of_file(path: Path, features: Collection[str] | None) -> Iterator[Stats]:
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            names = [name for name in file.schema_arrow.names if name.startswith("stats/")]
            if features is not None:
                names = [name for name in names if name.split("/")[1] in features]
            # With a column that is always there, since a batch without columns has no rows.
            for batch in file.iter_batches(_AT_ONCE, columns=[*names, "episode_index"]):
                yield from (unflatten_stats(row, str(path)) for row in batch.to_pylist())
    except UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
