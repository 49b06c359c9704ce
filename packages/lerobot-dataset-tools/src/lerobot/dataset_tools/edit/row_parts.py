"""Data files of the result: rows of the kept episodes under their new numbers, each file a part of the edit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.added import values_of
from lerobot.dataset_tools.edit.groups import state_of
from lerobot.dataset_tools.edit.plan import EditPlan, KeptFrames, Selection
from lerobot.datasets.format.columns import data_schema, data_table
from lerobot.datasets.format.features import IMAGE, LANGUAGE, VIDEO, Feature
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.storage.rows import DataFile, absent_numbers, undeclared_columns
from lerobot.datasets.video.join import runs

ROWS_FILE = "rows.parquet"

_GROUP_ROWS = 512
"""An episode is a row group of its own, as in a recording, unless it is shorter and has no images: then its neighbours
join it, for whoever opens a file holds some kilobytes of each of its row groups."""

Sources = Callable[[str], EditSource]
"""The dataset in a folder."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Kept rows of one data file.

    Attributes:
        selection: of the file's dataset.
        number: of the file, among those of its dataset.
        episodes: numbers of its kept episodes there.
        lengths: rows of each that stay.
        first_episode: number of its first kept episode in the result.
        start: index of its first kept row in the result.
        is_unchanged: whether the file can be taken as it is.
    """

    selection: Selection
    number: int
    episodes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    first_episode: int
    start: int
    is_unchanged: bool

    @property
    def file(self) -> DataFile:
        """The file."""
        return self.selection.source.files[self.number]

    @property
    def rows(self) -> slice:
        """Where its kept rows are in the result."""
        return slice(self.start, self.start + int(self.lengths.sum()))

    @property
    def bytes(self) -> int:
        """Size its rows will have, about."""
        return int(self.file.path.stat().st_size * self.lengths.sum() / self.file.rows)


@dataclass(frozen=True, slots=True)
class KeptRows:
    """A `Piece` that stands for itself, as JSON.

    Attributes:
        root: folder of the dataset.
        file: number of the file there.
        state: size and time of the file.
        episodes: numbers of the kept episodes there.
        frames: of each the first frame that stays and the one after the last.
        tasks: new `task_index` of neighbouring rows, with their number.
        is_trimmed: whether frames are left out within episodes, so that the others have new numbers and times.
    """

    root: str
    file: int
    state: list[list[int]]
    episodes: list[int]
    frames: list[list[int]]
    tasks: list[list[int]]
    is_trimmed: bool


@dataclass(frozen=True, slots=True)
class RowsPart:
    """One data file of the result.

    Attributes:
        features: declarations of the result.
        fps: its frames per second.
        renamed: see `EditPlan`.
        added: columns that no source has; see `lerobot.dataset_tools.edit.added`.
        first_episode: number of the first episode in the result.
        start: index of the first row in the result.
        members: what is in it, in order.
    """

    features: Mapping[str, Feature]
    fps: float
    renamed: Mapping[str, str]
    added: Mapping[str, Any]
    first_episode: int
    start: int
    members: list[KeptRows]
    work: Literal["rows"] = "rows"

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "RowsPart":
        """The part in a row of a plan."""
        features = {key: {**feature, "shape": tuple(feature["shape"])} for key, feature in row["features"].items()}
        return cls(**{**row, "features": features, "members": [KeptRows(**member) for member in row["members"]]})

    def to_row(self) -> dict[str, Any]:
        """The part as a row of a plan.

        Raises:
            DatasetError: values of an added column are in the memory of this process only.
        """
        if held := [key for key, added in self.added.items() if "values" in added]:
            raise DatasetError(
                f"the values of {held[0]} are only in this process, where no worker finds them",
                expected="an .npy file, or one value for all frames",
            )
        return asdict(self)


def data_files_of(plan: EditPlan) -> Iterator[tuple[list[Piece], RowsPart | None]]:
    """Every data file of the result, with the part that makes it; None where a file is taken as it is.

    Raises:
        DatasetError: a source is damaged, or lacks a column.
    """
    tasks = plan.task_numbers
    pieces = list(_pieces(plan, tasks))
    _check_extra_columns(plan, pieces)
    limit = plan.info.data_files_size_in_mb * MEGABYTE
    groups = runs([p.bytes for p in pieces], limit, [None if plan.join_data else p.file.path for p in pieces])
    for group in groups:
        members = [pieces[i] for i in group]
        is_taken = len(members) == 1 and members[0].is_unchanged
        yield members, None if is_taken else _part(plan, members, tasks)


def make_rows(part: RowsPart, sources: Sources, folder: Path) -> dict[str, Any]:
    """Write a data file.

    Args:
        part: what is in it.
        sources: opens a dataset.
        folder: for the file, `ROWS_FILE`.

    Raises:
        DatasetError: a source is damaged or lacks a column.
    """
    schema = _schema(part, sources)
    episode, start = part.first_episode, part.start
    waiting: list[pa.Table] = []
    least = _least_rows(part.features)
    with pq.ParquetWriter(folder / ROWS_FILE, schema) as writer:
        for member in part.members:
            lengths = [end - begin for begin, end in member.frames]
            rows, first = _rows(part, member, sources, schema, episode, start), 0
            for length in lengths:
                check_stop()
                waiting.append(rows.slice(first, length))
                if sum(table.num_rows for table in waiting) >= least:
                    _write_group(writer, waiting)
                first += length
            episode, start = episode + len(lengths), start + first
        _write_group(writer, waiting)
    return {}


def _least_rows(features: Mapping[str, Feature]) -> int:
    """Rows that a row group has at least."""
    return 1 if any(feature["dtype"] == IMAGE for feature in features.values()) else _GROUP_ROWS


def _write_group(writer: pq.ParquetWriter, waiting: list[pa.Table]) -> None:
    """Write whole episodes as one row group; they wait no longer."""
    if waiting:
        rows = pa.concat_tables(waiting)
        writer.write_table(rows, row_group_size=rows.num_rows)
        waiting.clear()


def _pieces(plan: EditPlan, tasks: NDArray[np.int64]) -> Iterator[Piece]:
    episode = start = 0
    for selection in plan.selections:
        source, frames = selection.source, selection.kept
        renamed = [key for key in plan.renamed if plan.info.features[key]["dtype"] != VIDEO]
        same_form = not (source.info.is_legacy or plan.added or renamed) and _stored(source.info) == _stored(plan.info)
        numbers = source.task_numbers() if same_form else np.empty(0, np.int64)
        for number, file in enumerate(source.files):
            episodes = np.arange(file.first_episode, file.first_episode + len(file.lengths))
            lengths = (frames.ends - frames.begins)[episodes]
            kept = lengths > 0
            if not kept.any():
                continue
            is_whole = bool((lengths == file.lengths).all())
            in_place = (file.first_episode, file.start) == (episode, start)
            unchanged = same_form and in_place and is_whole and _is_complete(file)
            unchanged = unchanged and not (plan.join_data and _has_small_groups(file, _least_rows(plan.info.features)))
            unchanged = unchanged and np.array_equal(numbers[file.start : file.stop], tasks[file.start : file.stop])
            piece = Piece(selection, number, episodes[kept], lengths[kept], episode, start, unchanged)
            yield piece
            episode, start = episode + len(piece.lengths), piece.rows.stop


def _stored(info: Info) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The columns of data files."""
    return {key: (f["dtype"], f["shape"]) for key, f in info.features.items() if f["dtype"] != VIDEO}


def _is_complete(file: DataFile) -> bool:
    """Whether a file has no row beyond the committed ones, and all their numbers."""
    return bool(pq.read_metadata(file.path).num_rows == file.rows) and not absent_numbers(file)


def _has_small_groups(file: DataFile, least: int) -> bool:
    """Whether a file has row groups that would be joined in a file that is written."""
    metadata = pq.read_metadata(file.path)
    return any(metadata.row_group(i).num_rows < least for i in range(metadata.num_row_groups - 1))


def _check_extra_columns(plan: EditPlan, pieces: Sequence[Piece]) -> None:
    """Columns that no declaration names stay as they are, in every file or in none."""
    first, *others = pieces
    extra = _extra_columns(first.file, first.selection.source, plan.info.features)
    for piece in others:
        fields = _extra_columns(piece.file, piece.selection.source, plan.info.features)
        if fields != extra:
            names = [", ".join(field.name for field in each) or "none" for each in (extra, fields)]
            raise DatasetError(
                f"of the columns that info.json does not declare, {first.file.path} has {names[0]} and "
                f"{piece.file.path} {names[1]}",
                expected="the same ones, of the same type, in every data file",
            )


def _extra_columns(file: DataFile, source: EditSource, features: Mapping[str, Feature]) -> list[pa.Field]:
    return [field for field in undeclared_columns(file, source.info) if field.name not in features]


def _part(plan: EditPlan, members: Sequence[Piece], tasks: NDArray[np.int64]) -> RowsPart:
    rows = slice(members[0].rows.start, members[-1].rows.stop)
    return RowsPart(
        features=plan.info.features,
        fps=plan.info.fps,
        renamed=plan.renamed,
        added={key: column.part(rows) for key, column in plan.added.items()},
        first_episode=members[0].first_episode,
        start=rows.start,
        members=[_kept_rows(piece, tasks) for piece in members],
    )


def _kept_rows(piece: Piece, tasks: NDArray[np.int64]) -> KeptRows:
    source, frames = piece.selection.source, piece.selection.kept
    return KeptRows(
        root=str(source.root.absolute()),
        file=piece.number,
        state=state_of([piece.file.path]),
        episodes=piece.episodes.tolist(),
        frames=np.stack([frames.begins[piece.episodes], frames.ends[piece.episodes]], axis=1).tolist(),
        tasks=_neighbours(tasks[piece.rows]),
        is_trimmed=piece.selection.trims is not None,
    )


def _neighbours(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Equal numbers in a row as the number and how many there are."""
    begins = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    counts = np.diff(np.append(begins, len(numbers)))
    return [[int(number), int(count)] for number, count in zip(numbers[begins], counts, strict=True)]


def _rows(
    part: RowsPart, member: KeptRows, sources: Sources, schema: pa.Schema, first_episode: int, start: int
) -> pa.Table:
    """The rows of a member, in the form of the result."""
    source = sources(member.root)
    file = source.files[member.file]
    names = [name for name in schema.names if name not in part.added]
    stored = [part.renamed.get(name, name) for name in names]
    table = source.read(file, stored).rename_columns(names).filter(pa.array(_stays(file, member)))
    index = np.arange(start, start + table.num_rows)
    lengths = np.array([end - begin for begin, end in member.frames])
    within = slice(start - part.start, start - part.start + table.num_rows)
    columns: dict[str, Any] = {key: values_of(added, part.features[key], within) for key, added in part.added.items()}
    columns |= {"index": index, "task_index": np.repeat(*np.array(member.tasks, np.int64).T)}
    columns["episode_index"] = np.repeat(np.arange(first_episode, first_episode + len(lengths)), lengths)
    if member.is_trimmed:
        frames = index - np.repeat(index[np.cumsum(lengths) - lengths], lengths)
        columns |= {"frame_index": frames, "timestamp": (frames / part.fps).astype(np.float32)}
    for field in schema:
        if field.name not in part.features:
            columns[field.name] = table.column(field.name)
        elif field.name not in columns:
            where = f"{file.path}: column {field.name}"
            columns[field.name] = _as_declared(table.column(field.name), field, source.root, where)
    return data_table(schema, columns)


def _stays(file: DataFile, member: KeptRows) -> NDArray[np.bool_]:
    """Which rows of a file stay."""
    begins, ends = (np.zeros(len(file.lengths), np.int64) for _ in range(2))
    places = np.array(member.episodes) - file.first_episode
    begins[places], ends[places] = np.array(member.frames).T
    return KeptFrames(begins, ends).of_rows(file.episodes - file.first_episode, file.numbers["frame_index"])


def _schema(part: RowsPart, sources: Sources) -> pa.Schema:
    """The declared columns and those that no declaration names.

    Language annotations keep the types their file has, which no declaration tells.
    """
    source = sources(part.members[0].root)
    file = source.files[part.members[0].file]
    languages = [key for key, feature in part.features.items() if feature["dtype"] == LANGUAGE]
    schema = data_schema({key: f for key, f in part.features.items() if key not in languages})
    fields = {field.name: field for field in schema}
    if languages:
        stored = pq.read_schema(file.path)
        fields |= {key: stored.field(part.renamed.get(key, key)).with_name(key) for key in languages}
    declared = [fields[key] for key, feature in part.features.items() if feature["dtype"] != VIDEO]
    extra = _extra_columns(file, source, part.features)
    return pa.schema(chain(declared, extra), metadata=None if languages else schema.metadata)


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
