"""Rows of an episode as the columns of a v3.0 data file."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lerobot.datasets.format.features import IMAGE, STRING, VIDEO, Feature, FeatureMap

_IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def data_schema(features: FeatureMap) -> pa.Schema:
    """Columns of a data file, in the order of the features; videos are not columns.

    The metadata under `huggingface` tells the `datasets` library what the columns are.
    """
    stored = {key: feature for key, feature in features.items() if feature["dtype"] != VIDEO}
    described = {key: _describe(feature) for key, feature in stored.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": described}})}
    return pa.schema([_field(key, feature) for key, feature in stored.items()], metadata=metadata)


def data_table(schema: pa.Schema, columns: Mapping[str, npt.NDArray[Any] | pa.ChunkedArray]) -> pa.Table:
    """Rows of one episode.

    Args:
        schema: from `data_schema`.
        columns: per column its values `(n, *shape)`, for images and texts an arrow array.
    """
    arrays = [
        _nested(values, field.type) if isinstance(values := columns[field.name], np.ndarray) else values
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _field(key: str, feature: Feature) -> pa.Field:
    shape, dtype = feature["shape"], feature["dtype"]
    if dtype == IMAGE:
        return pa.field(key, _IMAGE_TYPE)
    if dtype == STRING:
        return pa.field(key, pa.string())
    value = pa.from_numpy_dtype(np.dtype(dtype))
    if shape == (1,):
        return pa.field(key, value)
    if len(shape) == 1:
        return pa.field(key, pa.list_(pa.field("element", value), shape[0]))
    for _ in shape:
        value = pa.list_(value)
    extension = f"datasets.features.features.Array{len(shape)}DExtensionType"
    metadata = {
        "ARROW:extension:name": extension,
        "ARROW:extension:metadata": json.dumps([list(shape), dtype]),
    }
    return pa.field(key, value, metadata=metadata)


def _describe(feature: Feature) -> dict[str, Any]:
    shape, dtype = feature["shape"], feature["dtype"]
    if dtype == IMAGE:
        return {"_type": "Image"}
    value = {"dtype": dtype, "_type": "Value"}
    if dtype == STRING or shape == (1,):
        return value
    if len(shape) == 1:
        return {"feature": value, "length": shape[0], "_type": "List"}
    return {"shape": list(shape), "dtype": dtype, "_type": f"Array{len(shape)}D"}


def _nested(values: npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
    """An array `(n, *shape)` as (fixed-size) lists, without a Python object per value."""
    if pa.types.is_fixed_size_list(type_):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), type=type_)
    if not pa.types.is_list(type_):
        return pa.array(values.reshape(-1), type=type_)
    array = pa.array(values.reshape(-1))
    for length in values.shape[:0:-1]:
        array = pa.ListArray.from_arrays(np.arange(0, len(array) + 1, length, dtype=np.int32), array)
    return array
