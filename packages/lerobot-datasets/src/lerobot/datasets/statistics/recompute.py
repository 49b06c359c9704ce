"""Statistics of a whole dataset from its values, the reference that running statistics approach."""

import functools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.arrow import UNREADABLE, read_table, to_numpy
from lerobot.datasets.format.episodes import each_episode_stats, load_episodes
from lerobot.datasets.format.features import Feature, FeatureMap
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.statistics.dataset import DatasetStatistics, as_samples, has_numbers
from lerobot.datasets.statistics.running import FloatArray, RunningStatistics

_AT_ONCE = 2**16


def dataset_statistics(root: Path, info: Info, only: Collection[str] | None = None) -> Stats:
    """Statistics of every feature of a v3.0 dataset; no image is decoded.

    They depend only on the data files and the episodes' image statistics, so any sequence of edits that leads to the
    same dataset leads to the same statistics. Numbers: every value, quantiles within 1/5000 of the range. Images: the
    episodes' statistics joined, moments exactly.

    Args:
        root: the dataset's folder.
        info: its declarations and totals.
        only: features whose statistics are wanted; all if None.

    Returns:
        Statistics by feature, in the order of the features; without features that have none.

    Raises:
        DatasetError: a file is damaged.
    """
    wanted = info.features.keys() if only is None else only
    numbers = {key: feature for key, feature in info.features.items() if has_numbers(feature) and key in wanted}
    cameras = [key for key in info.camera_keys if key in wanted]
    images = each_episode_stats(root, info, cameras) if cameras else ()
    result = DatasetStatistics(images).summary()
    files = [root / info.data_file(*place) for place in load_episodes(root, info).data_files()]
    result |= _number_statistics(files, numbers) if numbers else {}
    return {key: result[key] for key in info.features if key in result}


def _number_statistics(files: list[Path], features: FeatureMap) -> Stats:
    """Two passes over the numeric columns, a file at a time: the range, then everything else."""
    # The second pass goes backwards, so that the file where the first one ended, often the only one, is read once.
    read = functools.lru_cache(maxsize=1)(functools.partial(read_columns, features=features))
    ranges: dict[str, tuple[FloatArray, FloatArray]] = {}
    for path in files:
        for key, samples in _samples(read(path)):
            low, high = samples.min(axis=0), samples.max(axis=0)
            if key in ranges:
                low, high = np.minimum(low, ranges[key][0]), np.maximum(high, ranges[key][1])
            ranges[key] = low, high
    running = {key: RunningStatistics(*bounds) for key, bounds in ranges.items()}
    rows = 0
    for path in reversed(files):
        columns = read(path)
        for key, samples in _samples(columns):
            running[key].update(samples)
        rows += len(next(iter(columns.values())))
    return {key: statistics.summary(rows) for key, statistics in running.items()}


def _samples(columns: Mapping[str, npt.NDArray[np.generic]]) -> Iterator[tuple[str, FloatArray]]:
    """Values of every column, `_AT_ONCE` rows at a time: as doubles, and counted, they take many times their room."""
    for key, values in columns.items():
        for first in range(0, len(values), _AT_ONCE):
            yield key, as_samples(values[first : first + _AT_ONCE])


def read_columns(path: Path, features: FeatureMap) -> dict[str, npt.NDArray[np.generic]]:
    """Numeric columns of a data file as (n, *shape), or (n,) for shape (1,).

    Args:
        path: the file.
        features: the columns to read and their declarations.

    Raises:
        DatasetError: the file is damaged, or a column is missing or has another shape than declared.
    """
    try:
        return numeric_columns(read_table(path, list(features)), features, path)
    except (*UNREADABLE, KeyError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def numeric_columns(table: pa.Table, features: FeatureMap, path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of a table as `read_columns` gives them.

    Args:
        table: rows of a data file.
        features: the columns and their declarations.
        path: the file, for messages.

    Raises:
        DatasetError: a column has another shape than declared.
    """
    return {key: _as_array(table.column(key), key, feature, path) for key, feature in features.items()}


def _as_array(column: pa.ChunkedArray, key: str, feature: Feature, path: Path) -> npt.NDArray[np.generic]:
    rows = len(column)
    array = column.combine_chunks()
    while isinstance(array, (pa.ExtensionArray, pa.ListArray, pa.FixedSizeListArray, pa.LargeListArray)):
        array = array.storage if isinstance(array, pa.ExtensionArray) else array.flatten()
    values = to_numpy(array)
    shape = () if feature["shape"] == (1,) else feature["shape"]
    if values.size != rows * int(np.prod(shape)):
        raise DatasetError(f"{path}: {key} has {values.size} values in {rows} rows", expected=f"shape {shape} per row")
    result: npt.NDArray[np.generic] = values.reshape(rows, *shape)
    return result
