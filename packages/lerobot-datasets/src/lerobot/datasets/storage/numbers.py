"""Numeric columns of the whole dataset as arrays over one mapping that processes share.

A file's rows are read when one of them is first wanted. The mapping is shared with forked workers, so one that fills a
range fills it for its siblings, and two that fill the same range at once write the same bytes.
"""

import mmap
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.arrow import to_numpy
from lerobot.datasets.format.features import NUMERIC_DTYPES, FeatureMap
from lerobot.datasets.storage.rows import DataFile, read_rows

LARGEST_IN_MEMORY = 2**29
"""Bytes of numeric columns above which the mapping is backed by a file, which the system may evict."""

_ALIGNMENT = 64


class NumericColumns:
    """Rows of every numeric feature by dataset position.

    Values have the types tensors are made of: any float is float32, any integer int64, a bool stays bool.

    Args:
        files: data files in order of their rows.
        features: declarations; others than numeric ones are left alone.
        check_episodes: see `read_rows`.
    """

    def __init__(self, files: Sequence[DataFile], features: FeatureMap, *, check_episodes: bool) -> None:
        self._files = files
        self._features = {key: f for key, f in features.items() if f["dtype"] in NUMERIC_DTYPES}
        self._check_episodes = check_episodes
        self._starts = np.array([file.start for file in files], np.int64)
        self._length = files[-1].stop if files else 0
        self._map()

    def _map(self) -> None:
        layouts = {key: row_layout(feature) for key, feature in self._features.items()}
        sizes = {key: self._length * dtype.itemsize * _elements(shape) for key, (dtype, shape) in layouts.items()}
        offsets, total = {}, _aligned(len(self._files))
        for key, size in sizes.items():
            offsets[key], total = total, total + _aligned(size)
        mapping = _shared_mapping(max(total, 1))
        self._loaded = np.frombuffer(mapping, np.bool_, len(self._files))
        self._columns: dict[str, NDArray[Any]] = {
            key: np.frombuffer(mapping, dtype, self._length * _elements(shape), offsets[key]).reshape(-1, *shape)
            for key, (dtype, shape) in layouts.items()
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process reads the files again: mappings are shared by forking only."""
        return _restore, (self._files, self._features, self._check_episodes)

    def __len__(self) -> int:
        return self._length

    @property
    def keys(self) -> list[str]:
        """Numeric features in declared order."""
        return list(self._columns)

    def fetch(self, positions: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        """Values of features at dataset positions.

        Args:
            positions: per feature, integers of any shape.

        Returns:
            Per feature a copy of shape `(*positions, *row)`; scalars have no row shape.

        Raises:
            DatasetError: a file is missing or damaged; see `read_rows`.
        """
        if not self._loaded.all():
            self.load(np.concatenate([wanted.ravel() for wanted in positions.values()]))
        return {key: self._columns[key][wanted] for key, wanted in positions.items()}

    def column(self, key: str) -> NDArray[Any]:
        """All rows of one feature, read-only, without a copy."""
        self.load(self._starts)
        view = self._columns[key].view()
        view.flags.writeable = False
        return view

    def load(self, positions: NDArray[np.int64]) -> None:
        """Read the files that hold these positions, unless that was done.

        Raises:
            DatasetError: a file is missing or damaged; see `read_rows`.
        """
        if self._loaded.all():
            return
        numbers = np.unique(np.searchsorted(self._starts, positions, side="right") - 1)
        for number in numbers[~self._loaded[numbers]].tolist():
            self._load_file(number)

    def _load_file(self, number: int) -> None:
        file = self._files[number]
        table = read_rows(file, list(self._features), check_episodes=self._check_episodes)
        for key, feature in self._features.items():
            where = f"{file.path}: column {key}"
            _, shape = row_layout(feature)
            values = column_to_numpy(table.column(key), shape, where)
            self._columns[key][file.start : file.stop] = values
        self._loaded[number] = True


def _restore(files: Sequence[DataFile], features: FeatureMap, check_episodes: bool) -> NumericColumns:
    return NumericColumns(files, features, check_episodes=check_episodes)


def row_layout(feature: dict[str, Any]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Type and shape of one row: a feature of shape (1,) is a scalar."""
    kind = np.dtype(feature["dtype"]).kind
    dtype = np.dtype({"f": np.float32, "b": np.bool_}.get(kind, np.int64))
    shape: tuple[int, ...] = feature["shape"]
    return dtype, () if shape == (1,) else shape


def _elements(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _shared_mapping(size: int) -> mmap.mmap:
    if size <= LARGEST_IN_MEMORY:
        return mmap.mmap(-1, size)
    # Pages of a file can leave memory, pages of an anonymous mapping cannot; the file has no name any more.
    with tempfile.TemporaryFile(prefix="lerobot-columns-") as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), size)


def column_to_numpy(column: pa.ChunkedArray, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """Values of a numeric parquet column, however its rows are nested.

    Args:
        column: scalars, (fixed size) lists, nested lists or the Array2D.. types of the `datasets` library.
        shape: of one row; `()` for scalars, which may also be stored as lists of one.
        where: file and column, for messages.

    Returns:
        `(n, *shape)` in the stored type.

    Raises:
        DatasetError: a value is missing or a row has another shape.
    """
    array = column.combine_chunks()
    rows = len(array)
    expected = list(shape)
    while isinstance(array, pa.ExtensionArray) or pa.types.is_nested(array.type):
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
            continue
        size = expected.pop(0) if expected else 1
        lengths = pc.list_value_length(array)
        if array.null_count or (to_numpy(lengths) != size).any():
            raise DatasetError(f"{where} has rows of another shape", expected=f"shape {shape or (1,)}")
        array = array.flatten()
    if array.null_count and not pa.types.is_floating(array.type):
        raise DatasetError(f"{where} lacks {array.null_count} values", expected="a value in every row")
    if len(array) != rows * _elements(shape):
        raise DatasetError(f"{where} has rows of another shape", expected=f"shape {shape or (1,)}")
    return to_numpy(array).reshape(rows, *shape)
