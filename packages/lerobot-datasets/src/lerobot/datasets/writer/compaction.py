"""The small files of a recording joined into the format's sizes, in a copy that then takes the folder's place.

The copy stands beside the folder, links what does not change, and holds everything on the disk before one system call
swaps the two. A kill before it leaves the folder as recorded, a kill after it leaves the joined one; the other tree is
removed then or by the next writer.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lerobot.core.durable import flush_folder, flush_tree, link, replace_text
from lerobot.core.errors import DatasetError
from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import join_tables, read_table
from lerobot.datasets.format.columns import data_schema
from lerobot.datasets.format.episodes import META_POSITION_COLUMNS
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import stats_to_json
from lerobot.datasets.statistics.recompute import dataset_statistics
from lerobot.datasets.video.join import join_videos, runs, video_signature
from lerobot.datasets.writer.exchange import exchange
from lerobot.datasets.writer.lock import STAGING_FOLDER, WriterLock

logger = logging.getLogger(__name__)

FilePosition = tuple[int, int]
_Moves = dict[FilePosition, tuple[FilePosition, float]]
"""Per old file its new one and the second at which its images begin there."""


def copy_folder(root: Path) -> Path:
    """Where the joined copy of a dataset is built: a hidden folder beside it."""
    return root.with_name(f".{root.name}.joining")


def compact(root: Path, info: Info, lock: WriterLock) -> WriterLock:
    """Join small files of a dataset and compute its statistics anew.

    A dataset that has no small files, or cannot be swapped, gets its statistics and stays as it is otherwise.

    Args:
        root: the dataset's folder.
        info: its declarations and totals.
        lock: the caller's right to write `root`.

    Returns:
        The right to write what now stands at `root`.

    Raises:
        DatasetError: a file is damaged; the dataset is as before.
        OSError: the disk is full; the dataset is as before.
    """
    real = root.resolve()
    plan = _Compaction(real, info)
    if plan.is_useful() and (joined := _swap_for_joined(plan, real, lock)):
        return joined
    _write_statistics(real, info)
    return lock


def _swap_for_joined(plan: "_Compaction", root: Path, lock: WriterLock) -> WriterLock | None:
    """Build the joined copy and swap it in; None, with a warning, where that is impossible."""
    copy = copy_folder(root)
    shutil.rmtree(copy, ignore_errors=True)
    try:
        copy.mkdir()
    except PermissionError:
        logger.warning("%s cannot be written, so %s keeps its small files", root.parent, root)
        return None
    try:
        plan.build(copy)
        copy_lock = WriterLock(copy)
        try:
            exchange(root, copy)
        except (OSError, NotImplementedError) as error:
            logger.warning("%s keeps its small files: this file system cannot swap folders (%s)", root, error)
            copy_lock.release()
            return None
        flush_folder(root.parent)
        copy_lock.moved_to(root)
        lock.moved_to(copy)
        lock.release()
        return copy_lock
    finally:
        shutil.rmtree(copy, ignore_errors=True)


class _Compaction:
    """Which files are joined, and the copy of the dataset where they are."""

    def __init__(self, root: Path, info: Info) -> None:
        self._root = root
        self._info = info
        files = [path for _, _, path in layout.numbered_files(root / "meta/episodes")]
        tables = (read_table(path) for path in files)
        self._meta_files = len(files)
        self._episodes = join_tables(tables).slice(0, info.total_episodes) if files else None
        self._data_runs: list[list[FilePosition]] = []
        self._video_runs: dict[str, list[list[FilePosition]]] = {}
        if self._episodes is not None:
            self._plan()

    def is_useful(self) -> bool:
        """Whether there is anything to join."""
        joined = [run for runs_ in (self._data_runs, *self._video_runs.values()) for run in runs_ if len(run) > 1]
        return self._meta_files > 1 or bool(joined)

    def build(self, copy: Path) -> None:
        """Write the whole dataset into an empty folder, everything on the disk when this returns."""
        self._link_other_files(copy)
        data_moves = self._join_data(copy)
        video_moves = {key: self._join_videos(copy, key, video_runs) for key, video_runs in self._video_runs.items()}
        self._write_episodes(copy, data_moves, video_moves)
        _write_statistics(copy, self._info)
        flush_tree(copy)

    def _plan(self) -> None:
        info, megabyte = self._info, layout.MEGABYTE
        data = self._positions("data")
        sizes = [(self._root / info.data_file(*place)).stat().st_size for place in data]
        if data == sorted(data):
            limit = info.data_files_size_in_mb * megabyte
            self._data_runs = [[data[i] for i in run] for run in runs(sizes, limit, [None] * len(sizes))]
        else:
            # Rows would have to change their order; no recorder writes such a dataset, and it is valid as it is.
            self._data_runs = [[place] for place in data]
        for key in info.video_keys:
            videos = sorted(self._positions(f"videos/{key}"))
            paths = [self._root / info.video_file(key, *place) for place in videos]
            limit = info.video_files_size_in_mb * megabyte
            signatures = [video_signature(path) for path in paths]
            found = runs([path.stat().st_size for path in paths], limit, signatures)
            self._video_runs[key] = [[videos[i] for i in run] for run in found]

    def _positions(self, prefix: str) -> list[FilePosition]:
        assert self._episodes is not None  # noqa: S101 # only asked for when there are episodes
        columns = (self._episodes.column(f"{prefix}/{name}").to_pylist() for name in ("chunk_index", "file_index"))
        return list(dict.fromkeys(zip(*columns, strict=True)))

    def _link_other_files(self, copy: Path) -> None:
        rewritten = {self._root / "data", self._root / "meta/episodes", self._root / STAGING_FOLDER}
        rewritten |= {self._root / "videos" / key for key in self._info.video_keys}
        for folder, subfolders, names in os.walk(self._root):
            subfolders[:] = [name for name in subfolders if Path(folder, name) not in rewritten]
            target = copy / Path(folder).relative_to(self._root)
            target.mkdir(exist_ok=True)
            for name in names:
                link(Path(folder, name), target / name)

    def _join_data(self, copy: Path) -> _Moves:
        moves: _Moves = {}
        schema = data_schema(self._info.features)
        for place, run in zip(self._numbering(), self._data_runs, strict=False):
            sources = [self._root / self._info.data_file(*old) for old in run]
            target = copy / self._info.data_file(*place)
            target.parent.mkdir(parents=True, exist_ok=True)
            if len(run) == 1:
                link(sources[0], target)
            else:
                _join_tables(sources, target, schema)
            moves |= dict.fromkeys(run, (place, 0.0))
        return moves

    def _join_videos(self, copy: Path, key: str, video_runs: list[list[FilePosition]]) -> _Moves:
        moves: _Moves = {}
        for place, run in zip(self._numbering(), video_runs, strict=False):
            sources = [self._root / self._info.video_file(key, *old) for old in run]
            target = copy / self._info.video_file(key, *place)
            target.parent.mkdir(parents=True, exist_ok=True)
            begins = [0.0]
            if len(run) == 1:
                link(sources[0], target)
            else:
                begins = join_videos(sources, target)
            moves |= {old: (place, begin) for old, begin in zip(run, begins, strict=True)}
        return moves

    def _write_episodes(self, copy: Path, data_moves: _Moves, video_moves: dict[str, _Moves]) -> None:
        assert self._episodes is not None  # noqa: S101 # nothing is joined without episodes
        table = _moved(self._episodes, "data", data_moves)
        for key, moves in video_moves.items():
            table = _moved(table, f"videos/{key}", moves)
        limit = self._info.data_files_size_in_mb * layout.MEGABYTE
        rows = max(1, int(limit * table.num_rows / max(table.nbytes, 1)))
        for place, first in zip(self._numbering(), range(0, table.num_rows, rows), strict=False):
            part = table.slice(first, rows)
            for name, number in zip(META_POSITION_COLUMNS, place, strict=True):
                if name in part.column_names:
                    part = _with_column(part, name, [number] * part.num_rows)
            path = copy / layout.format_path(layout.EPISODES_PATH, *place)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(part, path)

    def _numbering(self) -> Iterable[FilePosition]:
        place = (0, 0)
        while True:
            yield place
            place = layout.next_file(*place, self._info.chunks_size)


def _write_statistics(root: Path, info: Info) -> None:
    text = json.dumps(stats_to_json(dataset_statistics(root, info)), indent=4)
    replace_text(root / layout.STATS_PATH, text)


def _moved(table: pa.Table, prefix: str, moves: _Moves) -> pa.Table:
    """The episodes table with new file numbers, and times shifted by where their file now begins."""
    names = [f"{prefix}/chunk_index", f"{prefix}/file_index"]
    old = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
    for name, part in zip(names, (0, 1), strict=True):
        table = _with_column(table, name, [moves[place][0][part] for place in old])
    for name in (f"{prefix}/from_timestamp", f"{prefix}/to_timestamp"):
        if name in table.column_names:
            times = table.column(name).to_pylist()
            table = _with_column(table, name, [time + moves[place][1] for time, place in zip(times, old, strict=True)])
    return table


def _with_column(table: pa.Table, name: str, values: list[float] | list[int]) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))


def _join_tables(sources: list[Path], target: Path, schema: pa.Schema) -> None:
    """Data files into one, a row group per episode as recorded; columns take the declared types."""
    with pq.ParquetWriter(target, schema) as writer:
        for source in sources:
            with pq.ParquetFile(source) as file:
                for number in range(file.num_row_groups):
                    group = file.read_row_group(number)
                    missing = [name for name in schema.names if name not in group.column_names]
                    if missing:
                        raise DatasetError(f"{source} lacks the columns {', '.join(missing)}")
                    writer.write_table(group.select(schema.names).cast(schema), row_group_size=group.num_rows)
