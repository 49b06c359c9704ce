"""Tables and their numbers, read the short way.

`pyarrow.parquet.read_table` and `to_numpy` import pandas (50 MB, 300 modules), and the former's scanner takes six times
as long as the file reader where every episode is a row group of its own.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

UNREADABLE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What pyarrow raises for files that are missing or damaged; the last is for names of columns that are no text."""

_JOINED_AT_ONCE = 100


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A parquet file as a table.

    Args:
        path: the file.
        columns: names; all if None. Those that the file does not have are left out.

    Raises:
        OSError: the file is missing or cannot be read.
        pyarrow.ArrowException: it is damaged.
        UnicodeDecodeError: so are the names of its columns.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        return file.read(columns=None if columns is None else list(columns))


def join_tables(tables: Iterable[pa.Table]) -> pa.Table:
    """Many small tables as one, in one piece; differing columns are filled up with nulls.

    Args:
        tables: at least one; best a generator, since a table of one row takes a hundred times as much memory as a row.
    """
    pieces: list[pa.Table] = []
    for table in tables:
        pieces.append(table)
        if len(pieces) == _JOINED_AT_ONCE:
            pieces = [_join(pieces)]
    return _join(pieces)


def _join(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()


def to_numpy(values: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Numbers or truth values as an array, without a copy where there is one piece; a missing float is NaN."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if array.null_count:
        known: NDArray[Any] = array.to_numpy(zero_copy_only=False)
        return known
    if pa.types.is_boolean(array.type):
        return np.from_dlpack(array.cast(pa.uint8())).view(np.bool_)
    return np.from_dlpack(array)
