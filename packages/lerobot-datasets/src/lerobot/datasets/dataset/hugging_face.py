"""The rows of a dataset in the form of the `datasets` library."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from PIL.Image import Image

import datasets
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.columns import data_schema, data_table
from lerobot.datasets.format.features import IMAGE, LANGUAGE, NUMERIC_DTYPES
from lerobot.datasets.reader.tensors import image_tensor
from lerobot.datasets.storage.numbers import column_to_numpy
from lerobot.datasets.storage.rows import DataFile, data_files, read_rows


def to_hugging_face(meta: LeRobotDatasetMetadata, episodes: NDArray[np.int64]) -> datasets.Dataset:
    """Columns of some episodes, in memory; rows become tensors when they are taken.

    Language annotations are left out: their files disagree on types that this library must know beforehand.

    Args:
        meta: metadata of the dataset.
        episodes: numbers of the episodes, ascending.

    Raises:
        DatasetError: a data file is missing or damaged.
    """
    schema = data_schema({key: feature for key, feature in meta.features.items() if feature["dtype"] != LANGUAGE})
    tables = [schema.empty_table()]
    for file in data_files(meta.root, meta.info, meta.episodes):
        kept = np.isin(file.episodes, episodes)
        if kept.any():
            tables.append(_declared_table(meta, file, schema).filter(pa.array(kept)))
    dataset = datasets.Dataset(pa.concat_tables(tables))
    dataset.set_transform(_to_tensors)
    return dataset


def _declared_table(meta: LeRobotDatasetMetadata, file: DataFile, schema: pa.Schema) -> pa.Table:
    """The rows of a file with the types that `info.json` declares, whoever wrote it."""
    names = schema.names
    table = read_rows(file, names, check_episodes=not meta.info.is_legacy)
    columns: dict[str, Any] = {}
    for key in names:
        feature = meta.features[key]
        columns[key] = table.column(key)
        if feature["dtype"] in NUMERIC_DTYPES:
            shape = () if feature["shape"] == (1,) else feature["shape"]
            values = column_to_numpy(table.column(key), shape, f"{file.path}: column {key}")
            columns[key] = values.astype(feature["dtype"])
        elif feature["dtype"] == IMAGE and pc.struct_field(table.column(key), "bytes").null_count:
            # Images in files of their own are named from the dataset's root, which this library does not know.
            rows = [{**row, "path": str(meta.root / row["path"])} for row in table.column(key).to_pylist()]
            columns[key] = pa.chunked_array([pa.array(rows, schema.field(key).type)])
    return data_table(schema, columns)


def _to_tensors(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {key: [_to_tensor(value) for value in values] for key, values in batch.items()}


def _to_tensor(value: Any) -> Any:
    if isinstance(value, Image):
        image = np.array(value)
        depth = image.ndim == 2
        return image_tensor(image[..., None] if depth else image, depth=depth)
    return value if value is None or isinstance(value, str | dict) else torch.tensor(value)
