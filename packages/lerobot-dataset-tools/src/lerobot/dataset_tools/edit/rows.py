"""Data files of the result: rows of the kept episodes under their new numbers, unchanged files as they are."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.durable import link
from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.datasets.format.columns import data_schema, data_table
from lerobot.datasets.format.features import LANGUAGE, VIDEO
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.storage.rows import DataFile, absent_numbers, undeclared_columns
from lerobot.datasets.video.join import runs
from lerobot.datasets.writer.compaction import FilePosition


@dataclass(frozen=True, slots=True)
class _Piece:
    """Kept rows of one data file.

    Attributes:
        source: the dataset of the file.
        file: the file.
        kept: which of its rows stay.
        first_episode: number of its first kept episode in the result.
        lengths: rows of each of its kept episodes.
        start: index of its first kept row in the result.
        is_unchanged: whether the file can be taken as it is.
        is_trimmed: whether frames are left out within its episodes, so that the others have new numbers and times.
    """

    source: EditSource
    file: DataFile
    kept: NDArray[np.bool_]
    first_episode: int
    lengths: NDArray[np.int64]
    start: int
    is_unchanged: bool
    is_trimmed: bool

    @property
    def bytes(self) -> int:
        """Size its rows will have, about."""
        return int(self.file.path.stat().st_size * self.kept.mean())


def write_rows(plan: EditPlan, folder: Path) -> list[FilePosition]:
    """Write the data files.

    Args:
        plan: the result.
        folder: its folder.

    Returns:
        The file of each episode.

    Raises:
        DatasetError: a source is damaged or lacks a column.
        OSError: the disk is full.
    """
    pieces = list(_pieces(plan))
    extra = _extra_columns(plan, pieces)
    limit = plan.info.data_files_size_in_mb * MEGABYTE
    groups = runs([p.bytes for p in pieces], limit, [None if plan.join_data else p.file.path for p in pieces])
    places: list[FilePosition] = []
    for place, group in zip(numbering(plan.info.chunks_size), groups, strict=False):
        check_stop()
        members = [pieces[i] for i in group]
        target = folder / plan.info.data_file(*place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if len(members) == 1 and members[0].is_unchanged:
            (link if plan.in_place else shutil.copy2)(members[0].file.path, target)
        else:
            _rewrite(plan, members, extra, target)
        places += [place] * sum(len(member.lengths) for member in members)
    return places


def _pieces(plan: EditPlan) -> Iterator[_Piece]:
    episode = start = 0
    tasks = plan.task_numbers
    for selection in plan.selections:
        source, frames = selection.source, selection.kept
        renamed = [key for key in plan.renamed if plan.info.features[key]["dtype"] != VIDEO]
        same_form = not (source.info.is_legacy or plan.added or renamed) and _stored(source.info) == _stored(plan.info)
        numbers = source.task_numbers() if same_form else np.empty(0, np.int64)
        for file in source.files:
            numbers_of_file = np.arange(file.first_episode, file.first_episode + len(file.lengths))
            lengths = (frames.ends - frames.begins)[numbers_of_file]
            lengths = lengths[lengths > 0]
            if not lengths.size:
                continue
            kept, rows = frames.of_rows(file.episodes, file.numbers["frame_index"]), int(lengths.sum())
            in_place = (file.first_episode, file.start) == (episode, start)
            unchanged = same_form and in_place and bool(kept.all()) and _is_complete(file)
            unchanged = unchanged and np.array_equal(numbers[file.start : file.stop], tasks[start : start + rows])
            yield _Piece(source, file, kept, episode, lengths, start, unchanged, selection.trims is not None)
            episode, start = episode + len(lengths), start + rows


def _stored(info: Info) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The columns of data files."""
    return {key: (f["dtype"], f["shape"]) for key, f in info.features.items() if f["dtype"] != VIDEO}


def _is_complete(file: DataFile) -> bool:
    """Whether a file has no row beyond the committed ones, and all their numbers."""
    return bool(pq.read_metadata(file.path).num_rows == file.rows) and not absent_numbers(file)


def _extra_columns(plan: EditPlan, pieces: list[_Piece]) -> list[pa.Field]:
    """Columns that no declaration names: they stay as they are, in every file or in none."""
    found = {piece.file.path: undeclared_columns(piece.file, piece.source.info) for piece in pieces}
    kept = {path: [field for field in fields if field.name not in plan.info.features] for path, fields in found.items()}
    (first, extra), *others = kept.items()
    for path, fields in others:
        if fields != extra:
            names = [", ".join(field.name for field in each) or "none" for each in (extra, fields)]
            raise DatasetError(
                f"of the columns that info.json does not declare, {first} has {names[0]} and {path} {names[1]}",
                expected="the same ones, of the same type, in every data file",
            )
    return extra


def _rewrite(plan: EditPlan, members: list[_Piece], extra: list[pa.Field], target: Path) -> None:
    schema = _schema(plan, members[0])
    schema = pa.schema([*schema, *extra], metadata=schema.metadata)
    undeclared = {field.name for field in extra}
    tasks = plan.task_numbers
    with pq.ParquetWriter(target, schema) as writer:
        for piece in members:
            names = [name for name in schema.names if name not in plan.added]
            table = piece.source.read(piece.file, [plan.stored(name) for name in names]).rename_columns(names)
            table = table.filter(pa.array(piece.kept))
            index = np.arange(piece.start, piece.start + table.num_rows)
            episodes = np.arange(piece.first_episode, piece.first_episode + len(piece.lengths))
            columns: dict[str, Any] = {key: values[index] for key, values in plan.added.items()}
            columns |= {"index": index, "task_index": tasks[index]}
            columns["episode_index"] = np.repeat(episodes, piece.lengths)
            if piece.is_trimmed:
                frames = index - np.repeat(index[np.cumsum(piece.lengths) - piece.lengths], piece.lengths)
                columns |= {"frame_index": frames, "timestamp": (frames / plan.info.fps).astype(np.float32)}
            for field in schema:
                if field.name in undeclared:
                    columns[field.name] = table.column(field.name)
                elif field.name not in columns:
                    where = f"{piece.file.path}: column {field.name}"
                    columns[field.name] = _as_declared(table.column(field.name), field, piece.source.root, where)
            rows, first = data_table(schema, columns), 0
            for length in piece.lengths.tolist():
                check_stop()
                writer.write_table(rows.slice(first, length), row_group_size=length)
                first += length


def _schema(plan: EditPlan, first: _Piece) -> pa.Schema:
    """The declared columns; language annotations keep the types their file has, which no declaration tells."""
    languages = [key for key, feature in plan.info.features.items() if feature["dtype"] == LANGUAGE]
    schema = data_schema({key: f for key, f in plan.info.features.items() if key not in languages})
    if not languages:
        return schema
    stored = pq.read_schema(first.file.path)
    fields = {field.name: field for field in schema}
    fields |= {key: stored.field(plan.stored(key)).with_name(key) for key in languages}
    return pa.schema([fields[key] for key, feature in plan.info.features.items() if feature["dtype"] != VIDEO])


def _as_declared(column: pa.ChunkedArray, field: pa.Field, root: Path, where: str) -> pa.ChunkedArray:
    """A stored column in the type its declaration stands for."""
    if isinstance(column.type, pa.ExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_struct(field.type):
        return _images(column, root)
    if not pa.types.is_nested(field.type) and pa.types.is_nested(column.type):
        column = pa.chunked_array([chunk.flatten() for chunk in column.chunks], column.type.value_type)
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise DatasetError(f"{where} is {column.type}, not {field.type}: {error}") from error


def _images(column: pa.ChunkedArray, root: Path) -> pa.ChunkedArray:
    """Encoded images, all within the rows; old writers left some in files of their own."""
    chunks = []
    for chunk in column.chunks:
        encoded, paths = chunk.field("bytes"), chunk.field("path")
        if encoded.null_count:
            values = [
                data if data is not None else (root / path).read_bytes()
                for data, path in zip(encoded.to_pylist(), paths.to_pylist(), strict=True)
            ]
            encoded = pa.array(values, pa.binary())
            paths = pa.array([Path(path).name for path in paths.to_pylist()], pa.string())
        chunks.append(pa.StructArray.from_arrays([encoded, paths], names=["bytes", "path"]))
    return pa.chunked_array(chunks, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
