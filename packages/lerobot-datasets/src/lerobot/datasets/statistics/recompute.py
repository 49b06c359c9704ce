"""Statistics of a whole dataset from its values, the reference that running statistics approach."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.episodes import load_episode_stats, load_episodes
from lerobot.datasets.format.features import Feature
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.statistics.dataset import DatasetStatistics, as_samples, has_numbers
from lerobot.datasets.statistics.running import RunningStatistics


def dataset_statistics(root: Path, info: Info) -> Stats:
    """Statistics of every feature of a v3.0 dataset; no picture is decoded.

    They depend only on the data files and the episodes' picture statistics, so any sequence of edits that leads to the
    same dataset leads to the same statistics. Numbers: every value, quantiles within 1/5000 of the range. Pictures: the
    episodes' statistics joined, moments exactly.

    Args:
        root: the dataset's folder.
        info: its declarations and totals.

    Returns:
        Statistics by feature, in the order of the features; without features that have none.

    Raises:
        DatasetError: a file is damaged.
    """
    episodes = load_episode_stats(root, info)
    numbers = [key for key, feature in info.features.items() if has_numbers(feature)]
    pictures = [{key: stats[key] for key in info.camera_keys if key in stats} for stats in episodes]
    result = DatasetStatistics(pictures).summary()
    files = [root / info.data_file(*place) for place in load_episodes(root, info).data_files()]
    for key in numbers if files else ():
        result[key] = _column_statistics(files, key, info.features[key])
    return {key: result[key] for key in info.features if key in result}


def _column_statistics(files: list[Path], key: str, feature: Feature) -> dict[str, npt.NDArray[np.generic]]:
    """Two passes over one column, a file at a time: the range, then everything else."""
    low = high = None
    for path in files:
        samples = as_samples(read_column(path, key, feature))
        low = samples.min(axis=0) if low is None else np.minimum(low, samples.min(axis=0))
        high = samples.max(axis=0) if high is None else np.maximum(high, samples.max(axis=0))
    if low is None or high is None:
        raise DatasetError(f"there is no file with {key}")
    running, rows = RunningStatistics(low, high), 0
    for path in files:
        values = read_column(path, key, feature)
        running.update(as_samples(values))
        rows += len(values)
    return running.summary(rows)


def read_column(path: Path, key: str, feature: Feature) -> npt.NDArray[np.generic]:
    """A numeric column of a data file as (n, *shape), or (n,) for shape (1,).

    Raises:
        DatasetError: the file is damaged, or the column has another shape than declared.
    """
    try:
        column = pq.read_table(path, columns=[key]).column(key).combine_chunks()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    rows = len(column)
    while isinstance(column, (pa.ExtensionArray, pa.ListArray, pa.FixedSizeListArray, pa.LargeListArray)):
        column = column.storage if isinstance(column, pa.ExtensionArray) else column.flatten()
    values = column.to_numpy(zero_copy_only=False)
    shape = () if feature["shape"] == (1,) else feature["shape"]
    if values.size != rows * int(np.prod(shape)):
        raise DatasetError(f"{path}: {key} has {values.size} values in {rows} rows", expected=f"shape {shape} per row")
    result: npt.NDArray[np.generic] = values.reshape(rows, *shape)
    return result
