"""The episodes table of the result: rows of the kept episodes with new numbers, places and statistics.

It is read, made and written some hundred rows at a time, so that a dataset of very many episodes needs no more memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.dataset_tools.edit.done import DoneParts
from lerobot.dataset_tools.edit.parts import counted_statistics, counting_parts, measuring_parts, statistics_of
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.videos import Clip
from lerobot.datasets.format import layout
from lerobot.datasets.format.episodes import META_POSITION_COLUMNS, episodes_schema
from lerobot.datasets.format.features import CAMERA_DTYPES
from lerobot.datasets.format.stats_json import FeatureStats, Stats, flatten_stats
from lerobot.datasets.statistics.dataset import column_statistics
from lerobot.datasets.statistics.recompute import read_columns
from lerobot.datasets.writer.compaction import FilePosition

_AT_ONCE = 500
"""Rows that are written at a time, as a row group."""


def write_episodes(
    plan: EditPlan, folder: Path, data: list[FilePosition], videos: Mapping[str, list[Clip]], done: DoneParts
) -> None:
    """Write `meta/episodes`.

    Args:
        plan: the result.
        folder: its folder, where the data files are.
        data: data file of each episode.
        videos: per camera, where each episode's images are.
        done: statistics of images.

    Raises:
        DatasetError: a data file cannot be read.
        OSError: the disk is full.
    """
    base, schema = _BaseColumns(plan, data, videos), episodes_schema(plan.info.video_keys)
    statistics = _new_statistics(plan, folder, data, done)
    first = 0
    with _EpisodeFiles(plan, folder) as files:
        for source in _in_batches(_source_rows(plan)):
            rows = slice(first, first + source.num_rows)
            other = [name for name in source.column_names if name not in schema.names and _stays(name, plan)]
            fields = [*schema, *(source.schema.field(name) for name in other)]
            columns = base.of(rows)
            arrays = [pa.array(columns[name], schema.field(name).type) for name in schema.names]
            table = pa.table([*arrays, *(source.column(name) for name in other)], schema=pa.schema(fields))
            files.write(_with_statistics(table, statistics))
            first = rows.stop


class _EpisodeFiles:
    """Writes the table into files of the format's size.

    Args:
        plan: the result.
        folder: its folder.
    """

    def __init__(self, plan: EditPlan, folder: Path) -> None:
        self._limit = plan.info.data_files_size_in_mb * layout.MEGABYTE
        self._places = numbering(plan.info.chunks_size)
        self._folder = folder
        self._writer: pq.ParquetWriter | None = None
        self._place: FilePosition = (0, 0)
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Add rows; every call has the same columns."""
        if self._writer is None or self._bytes + table.nbytes > self._limit:
            self._next(table.schema)
        for name, number in zip(META_POSITION_COLUMNS, self._place, strict=True):
            table = table.append_column(name, pa.array([number] * table.num_rows, pa.int64()))
        assert self._writer is not None  # noqa: S101 # the line above begins a file
        self._writer.write_table(table)
        self._bytes += table.nbytes

    def _next(self, schema: pa.Schema) -> None:
        if self._writer is not None:
            self._writer.close()
        self._place, self._bytes = next(self._places), 0
        path = self._folder / layout.format_path(layout.EPISODES_PATH, *self._place)
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in META_POSITION_COLUMNS:
            schema = schema.append(pa.field(name, pa.int64()))
        self._writer = pq.ParquetWriter(path, schema)


def _source_rows(plan: EditPlan) -> Iterator[pa.Table]:
    """Rows of the chosen episodes under the names of the result, with the columns of all sources."""
    schemas = [selection.source.columns for selection in plan.selections]
    none = pa.unify_schemas(schemas, promote_options="permissive").empty_table()
    new = {old: name for name, old in plan.renamed.items()}
    for selection in plan.selections:
        first = 0
        for table in selection.source.rows():
            begin, end = np.searchsorted(selection.episodes, [first, first + table.num_rows])
            kept = table.take(pa.array(selection.episodes[begin:end] - first))
            first += table.num_rows
            kept = pa.concat_tables([none, kept], promote_options="permissive")
            yield kept.rename_columns([_renamed(name, new) for name in kept.column_names])


def _in_batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, `_AT_ONCE` at a time, whatever files they are from."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        while sum(each.num_rows for each in waiting) >= _AT_ONCE:
            rows = pa.concat_tables(waiting)
            yield rows.slice(0, _AT_ONCE).combine_chunks()
            waiting = [rows.slice(_AT_ONCE)]
    if any(table.num_rows for table in waiting):
        yield pa.concat_tables(waiting).combine_chunks()


def _renamed(column: str, new: Mapping[str, str]) -> str:
    """A column of statistics under the name that its feature has now."""
    kind, _, rest = column.partition("/")
    key, _, statistic = rest.rpartition("/")
    return f"stats/{new[key]}/{statistic}" if kind == "stats" and key in new else column


class _BaseColumns:
    """The columns that say what and where an episode is.

    Args:
        plan: the result.
        data: data file of each episode.
        videos: per camera, where each episode's images are.
    """

    def __init__(self, plan: EditPlan, data: list[FilePosition], videos: Mapping[str, list[Clip]]) -> None:
        self._tasks = plan.tasks
        self._data = data
        self._videos = videos
        self._lengths, self._starts, self._task_numbers = plan.lengths, plan.starts, plan.task_numbers

    def of(self, rows: slice) -> dict[str, Any]:
        """The columns of some episodes."""
        lengths, starts = self._lengths[rows], self._starts[rows]
        columns: dict[str, Any] = {
            "episode_index": np.arange(rows.start, rows.stop),
            "tasks": [
                [self._tasks.name(n) for n in dict.fromkeys(self._task_numbers[start : start + length].tolist())]
                for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
            ],
            "length": lengths,
            "data/chunk_index": [place[0] for place in self._data[rows]],
            "data/file_index": [place[1] for place in self._data[rows]],
            "dataset_from_index": starts,
            "dataset_to_index": starts + lengths,
        }
        for key, clips in self._videos.items():
            columns[f"videos/{key}/chunk_index"] = [clip.place[0] for clip in clips[rows]]
            columns[f"videos/{key}/file_index"] = [clip.place[1] for clip in clips[rows]]
            columns[f"videos/{key}/from_timestamp"] = [clip.begin for clip in clips[rows]]
            columns[f"videos/{key}/to_timestamp"] = [clip.end for clip in clips[rows]]
        return columns


def _stays(name: str, plan: EditPlan) -> bool:
    """Whether a column of the sources describes the result: not that of a feature it does not have or computes anew."""
    kind, _, rest = name.partition("/")
    if kind != "stats":
        return kind not in ("videos", "data", "meta")
    feature = plan.info.features.get(rest.rpartition("/")[0])
    return feature is not None and (not plan.fresh_statistics or feature["dtype"] in CAMERA_DTYPES)


def _with_statistics(table: pa.Table, statistics: Iterator[Stats]) -> pa.Table:
    """Rows with the statistics that differ from the sources'."""
    columns: dict[str, list[Any]] = {}
    # The rows first: after the last one nothing more may be taken.
    for _, stats in zip(range(table.num_rows), statistics, strict=False):
        for key, values in stats.items():
            known = {name for name in table.column_names if name.startswith(f"stats/{key}/")}
            for name, value in flatten_stats({key: values}).items():
                # A table from before quantiles stays without them, for its rows must be alike.
                if not known or name in known:
                    columns.setdefault(name, []).append(value)
    for name, column in columns.items():
        position = table.schema.get_field_index(name)
        array = pa.array(column)
        table = table.append_column(name, array) if position < 0 else table.set_column(position, name, array)
    return table


def _new_statistics(plan: EditPlan, folder: Path, data: list[FilePosition], done: DoneParts) -> Iterator[Stats]:
    """Statistics that differ from the sources', of one episode after another."""
    images = {key: _image_statistics(plan, key, done) for key in sorted(plan.decoded_statistics)}
    numbers = [key for key in plan.changed_numbers if key not in images]
    counted = _counted(plan, done) if plan.source_statistics else _column_statistics(plan, folder, data, numbers)
    for stats in counted:
        yield {**stats, **{key: next(measured) for key, measured in images.items()}}


def _counted(plan: EditPlan, done: DoneParts) -> Iterator[Stats]:
    """As `_column_statistics`, of the numbers of the source, which are those of the result."""
    for part in counting_parts(plan, done.megabytes):
        folder, _ = done.get(part)
        yield from counted_statistics(folder)


def _column_statistics(plan: EditPlan, folder: Path, data: list[FilePosition], keys: Sequence[str]) -> Iterator[Stats]:
    """Statistics of numeric features, episode by episode; each data file is read once."""
    features = {key: plan.info.features[key] for key in keys}
    columns: dict[str, NDArray[Any]] = {}
    opened, first = None, 0
    for place, start, length in zip(data, plan.starts.tolist(), plan.lengths.tolist(), strict=True):
        if place != opened and keys:
            opened, first = place, start
            columns = read_columns(folder / plan.info.data_file(*place), features)
        rows = slice(start - first, start - first + length)
        yield {key: column_statistics(values[rows]) for key, values in columns.items()}


def _image_statistics(plan: EditPlan, key: str, done: DoneParts) -> Iterator[FeatureStats]:
    """Statistics of one camera, from as many decoded images of each episode as the format's rule samples."""
    for selection in plan.selections:
        measured: dict[int, FeatureStats] = {}
        parts = measuring_parts(plan, selection, key, done.megabytes)
        for episode in selection.episodes.tolist():
            while episode not in measured:
                part = next(parts)
                _, data = done.get(part)
                measured.update(zip(part.episodes, statistics_of(data), strict=True))
            yield measured.pop(episode)
