"""Rows of the episodes table, in the exact columns that a dataset's existing rows have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot.core.errors import DatasetError
from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import UNREADABLE
from lerobot.datasets.format.episodes import META_POSITION_COLUMNS, episodes_schema
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats


def table_schema(root: Path, info: Info, stats: Stats) -> pa.Schema:
    """Columns that new rows must have: those of the first episodes file, or all of the format for a new dataset.

    Readers refuse a table whose files differ in their columns, so a dataset from before quantiles stays without them.

    Args:
        root: the dataset's folder.
        info: its declarations and committed totals.
        stats: statistics of one episode, for their shapes.

    Raises:
        DatasetError: the first file is damaged.
    """
    files = layout.numbered_files(root / "meta/episodes")
    if info.total_episodes and files:
        try:
            return pq.read_schema(files[0][2]).remove_metadata()
        except UNREADABLE as error:
            raise DatasetError(f"{files[0][2]} cannot be read: {error}") from error
    fields = list(episodes_schema(info.video_keys))
    for key, values in stats.items():
        fields += [pa.field(f"stats/{key}/{name}", _list_type(np.asarray(value))) for name, value in values.items()]
    fields += [pa.field(name, pa.int64()) for name in META_POSITION_COLUMNS]
    return pa.schema(fields)


def one_row(row: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """A table of one row; columns it has no value for are null, values without a column are left out."""
    columns = [pa.array([_as_stored(row.get(field.name), field.type)], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _as_stored(value: Any, type_: pa.DataType) -> Any:
    """Statistics of booleans are booleans in tables converted from v2.1."""
    if pa.types.is_list(type_) and pa.types.is_boolean(type_.value_type) and value is not None:
        return [bool(item) for item in value]
    return value


def _list_type(value: np.ndarray[Any, Any]) -> pa.DataType:
    type_: pa.DataType = pa.int64() if np.issubdtype(value.dtype, np.integer) else pa.float64()
    for _ in value.shape:
        type_ = pa.list_(type_)
    return type_
