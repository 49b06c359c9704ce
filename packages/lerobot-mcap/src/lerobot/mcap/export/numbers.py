"""Numbers of a dataset as they are stored; readers of frames round those of 64 bits for tensors."""

from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.features import NUMERIC_DTYPES
from lerobot.datasets.storage.numbers import column_to_numpy
from lerobot.datasets.storage.rows import DataFile, data_files, read_rows


class StoredNumbers:
    """Numeric columns of one episode after the other.

    Args:
        meta: the dataset.
    """

    def __init__(self, meta: LeRobotDatasetMetadata) -> None:
        self._meta = meta
        self._features = {key: each for key, each in meta.features.items() if each["dtype"] in NUMERIC_DTYPES}
        self._files = data_files(meta.root, meta.info, meta.episodes)
        self._known: tuple[DataFile, pa.Table] | None = None

    def of(self, first: int, end: int) -> dict[str, NDArray[Any]]:
        """Columns of an episode, each `(n, ...)` in its stored type.

        Args:
            first: dataset position of the episode's first frame.
            end: the one after its last.

        Raises:
            DatasetError: its file is missing or damaged.
        """
        file = next(file for file in self._files if file.start <= first < file.stop)
        if self._known is None or self._known[0] != file:
            table = read_rows(file, list(self._features), check_episodes=not self._meta.info.is_legacy)
            self._known = file, table
        rows = self._known[1].slice(first - file.start, end - first)
        return {
            key: column_to_numpy(rows.column(key), () if feature["shape"] == (1,) else feature["shape"], key)
            for key, feature in self._features.items()
        }
