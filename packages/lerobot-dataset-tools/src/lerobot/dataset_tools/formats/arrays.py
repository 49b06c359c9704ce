"""Arrays with one row per frame, read in blocks: what HDF5, zarr and npz have in common."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import reading
from lerobot.dataset_tools.formats.source import TEXT, SourceField

BLOCK_BYTES = 2**22
"""Rows of one field that are in memory at once, unless a single row or a compressed chunk is larger."""

Target = Callable[[str, str, tuple[int, ...]], str | None]
"""From name, dtype and shape of a field to what it becomes by default."""


class Rows(Protocol):
    """An array on disk; only slices of its first axis are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of its values."""
        ...

    def __getitem__(self, rows: slice, /) -> Any:
        """Read rows."""
        ...


class Repeated:
    """One value for every row."""

    def __init__(self, value: Any, length: int) -> None:
        self._value = np.asarray(value)
        self.dtype = self._value.dtype
        self.shape = (length, *self._value.shape)

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        return np.broadcast_to(self._value, self.shape)[rows]


def field_of(name: str, array: Rows, target: Target) -> SourceField:
    """Describe what one row of an array holds."""
    dtype = TEXT if is_text(array.dtype) else array.dtype.newbyteorder("=").name
    shape = tuple(array.shape[1:])
    return SourceField(name, dtype, shape, target(name, dtype, shape))


def is_text(dtype: np.dtype[Any]) -> bool:
    """Whether values are texts: of one length, or of any, as h5py marks them."""
    marks: Mapping[str, Any] = dtype.metadata or {}
    return dtype.kind in "SUT" or (dtype.kind == "O" and marks.get("vlen") in (str, bytes))


class _Beginning:
    """The first rows of an array."""

    def __init__(self, array: Rows, length: int) -> None:
        self._array = array
        self.dtype = array.dtype
        self.shape = (length, *array.shape[1:])
        self.chunks = getattr(array, "chunks", None)

    def __getitem__(self, rows: slice, /) -> Any:
        return self._array[slice(*rows.indices(self.shape[0]))]


def trimmed(arrays: Mapping[str, Rows], trim: int) -> dict[str, Rows]:
    """Cut the longest arrays of an episode to one length, as where T actions stand beside T + 1 observations.

    Args:
        arrays: by field.
        trim: rows that may be cut off their ends; arrays that are shorter by more are left, to be refused if they are
            wanted.
    """
    lengths = {name: array.shape[0] for name, array in arrays.items() if array.shape}
    longest = max(lengths.values(), default=0)
    shortest = min((length for length in lengths.values() if length >= longest - trim), default=0)
    return {
        name: _Beginning(array, shortest) if lengths.get(name, 0) > shortest else array
        for name, array in arrays.items()
    }


def read_frames(
    where: str, arrays: Mapping[str, Rows], fields: Sequence[SourceField], names: Collection[str], rows: range | None
) -> Iterator[dict[str, Any]]:
    """Read rows of several arrays side by side.

    Args:
        where: file and episode, for messages.
        arrays: at least those of `names`.
        fields: what each is expected to hold.
        names: arrays to read.
        rows: which rows; all if None.

    Yields:
        Per name the value of one row.

    Raises:
        DatasetError: an array is missing, holds something else than `fields` say or cannot be read, or lengths differ.
    """
    wanted = [field for field in fields if field.name in names]
    for field in wanted:
        _check(where, field, arrays.get(field.name))
    chosen = {field.name: arrays[field.name] for field in wanted}
    lengths = {name: array.shape[0] for name, array in chosen.items()}
    longest = max(lengths.values(), default=0)
    for name, length in lengths.items():
        if length != longest:
            raise DatasetError(f"{where}: {name} has {length} rows", expected=f"{longest}, as its other fields have")
    rows = range(longest) if rows is None else rows
    columns = [_values(f"{where}: {name}", array, rows) for name, array in chosen.items()]
    for values in zip(*columns, strict=True):
        yield dict(zip(chosen, values, strict=True))


def _check(where: str, field: SourceField, array: Rows | None) -> None:
    if array is None:
        raise DatasetError(f"{where} lacks {field.name}", expected="the same fields in every episode")
    found = field_of(field.name, array, lambda *_: None)
    if (found.dtype, found.shape) != (field.dtype, field.shape):
        raise DatasetError(
            f"{where}: {field.name} is {found.dtype} {found.shape}", expected=f"{field.dtype} {field.shape}"
        )


def _values(where: str, array: Rows, rows: range) -> Iterator[Any]:
    """One value after the other, from blocks that end where the array's compressed chunks do."""
    row_bytes = max(array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64)), 1)
    chunk = (getattr(array, "chunks", None) or (1,))[0]
    step = max(BLOCK_BYTES // row_bytes // chunk, 1) * chunk
    first = rows.start
    while first < rows.stop:
        stop = min((first // step + 1) * step, rows.stop)
        with reading(f"{where} from row {first} on"):
            block = [_text(value) if isinstance(value, (str, bytes)) else _native(value) for value in array[first:stop]]
        yield from block
        first = stop


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")


def _native(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


class EpisodeArrays:
    """A source whose every episode has arrays of its own; see `EpisodeSource`.

    Args:
        episodes: name of each episode.
        open_episode: gives the arrays of an episode by field, open as long as the context.
        target: default target of each field.
        fps: rate, if the source says so.
        task: instruction of all episodes, if the source has one.
        close: closes the source.
    """

    def __init__(
        self,
        episodes: Sequence[str],
        open_episode: Callable[[int], AbstractContextManager[Mapping[str, Rows]]],
        target: Target,
        *,
        fps: float | None = None,
        task: str | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.episodes: Sequence[str] = episodes
        self.fps = fps
        self.task = task
        self.close = close
        self._open_episode = open_episode
        try:
            with open_episode(0) as arrays:
                self.fields: Sequence[SourceField] = tuple(
                    field_of(name, array, target) for name, array in arrays.items() if array.shape
                )
        except BaseException:
            close()
            raise

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        with self._open_episode(episode) as arrays:
            yield from read_frames(self.episodes[episode], arrays, self.fields, names, None)


class FlatArrays:
    """A source whose episodes follow each other in the same arrays; see `EpisodeSource`.

    Args:
        where: the file, for messages.
        arrays: by field.
        ends: per episode the row after its last.
        target: default target of each field.
        fps: rate, if the source says so.
        task: instruction of all episodes, if the source has one.
        close: closes the source.

    Raises:
        DatasetError: there is no episode, or the ends do not rise up to the number of rows.
    """

    def __init__(
        self,
        where: str,
        arrays: Mapping[str, Rows],
        ends: npt.NDArray[np.int64],
        target: Target,
        *,
        fps: float | None = None,
        task: str | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._where = where
        self._arrays = arrays
        self._bounds = np.concatenate([[0], ends]).tolist()
        longest = max((array.shape[0] for array in arrays.values() if array.shape), default=0)
        if not len(ends) or (np.diff(self._bounds) <= 0).any() or self._bounds[-1] > longest:
            raise DatasetError(
                f"{where}: its episodes end at {self._bounds[1:6]}", expected=f"rising ends of at most {longest} rows"
            )
        self.episodes: Sequence[str] = [
            f"{where} rows {first} to {end - 1}" for first, end in zip(self._bounds, ends, strict=False)
        ]
        self.fields: Sequence[SourceField] = tuple(
            field_of(name, array, target) for name, array in arrays.items() if array.shape
        )
        self.fps = fps
        self.task = task
        self.close = close

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        rows = range(self._bounds[episode], self._bounds[episode + 1])
        yield from read_frames(self._where, self._arrays, self.fields, names, rows)
