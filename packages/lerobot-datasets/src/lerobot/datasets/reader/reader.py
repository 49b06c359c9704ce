"""Frames of a dataset as arrays, a batch at a time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.words import numbers_of
from lerobot.datasets.format.depth import DepthUnit, convert_image, depth_table
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.features import IMAGE, VIDEO
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.tasks import Tasks
from lerobot.datasets.reader.encoded import decode_image
from lerobot.datasets.reader.images import EpisodeVideos, ImageRows
from lerobot.datasets.reader.windows import Windows, window_positions
from lerobot.datasets.storage.numbers import NumericColumns
from lerobot.datasets.storage.objects import ObjectColumns
from lerobot.datasets.storage.rows import data_files

Columns: TypeAlias = dict[str, NDArray[Any] | ImageRows | list[Any]]
"""A batch by feature: numbers as one array `(B, ...)`, cameras as images, everything else as a list of B values."""

ArrayItem: TypeAlias = dict[str, Any]
"""One item: arrays by feature, images as `(H, W, C)` or `(T, H, W, C)`, texts and annotations as Python objects."""


class FrameIndexError(DatasetError, IndexError):
    """A frame was asked for that the dataset does not have."""


class NumberSource(Protocol):
    """Where the numbers of rows come from, see `NumericColumns`."""

    @property
    def keys(self) -> list[str]:
        """Numeric features in declared order."""
        ...

    def __len__(self) -> int: ...

    def fetch(self, positions: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        """Values of features at dataset positions."""
        ...


class ObjectSource(Protocol):
    """Where everything else of rows comes from, see `ObjectColumns`."""

    def rows(self, key: str, positions: NDArray[np.int64]) -> list[Any]:
        """Values of one feature at dataset positions."""
        ...


class FrameReader:
    """Reads items by dataset position. Holds nothing open until the first read, and nothing at all after pickling.

    Args:
        root: folder of the dataset.
        info: its `info.json`.
        episodes: its episodes.
        tasks: its tasks.
        windows: frames around each item, by feature; see `parse_windows`.
        tolerance_s: see `EpisodeVideos`.
        depth_unit: unit of depth.
        numbers: rows of numeric features, mapped from the data files if None.
        objects: rows of the others, likewise.
        videos: images, from the files below `root` if None.
    """

    def __init__(
        self,
        root: Path,
        info: Info,
        episodes: Episodes,
        tasks: Tasks,
        *,
        windows: Windows | None = None,
        tolerance_s: float = 1e-4,
        depth_unit: DepthUnit = "mm",
        numbers: NumberSource | None = None,
        objects: ObjectSource | None = None,
        videos: EpisodeVideos | None = None,
    ) -> None:
        self._root = root
        self._info = info
        self._episodes = episodes
        self._tasks = tasks
        self._windows = windows or {}
        self._starts = episodes.column("dataset_from_index")
        self._stops = episodes.column("dataset_to_index")
        files = data_files(root, info, episodes) if numbers is None or objects is None else []
        check = not info.is_legacy
        self.numbers = NumericColumns(files, info.features, check_episodes=check) if numbers is None else numbers
        self.objects = ObjectColumns(files, info.features, check_episodes=check) if objects is None else objects
        self.videos = EpisodeVideos(root, info, episodes, tolerance_s) if videos is None else videos
        self._depth_tables = {key: depth_table(info.features[key].get("info"), depth_unit) for key in info.depth_keys}
        self._depth_unit: DepthUnit = depth_unit

    def __len__(self) -> int:
        return len(self.numbers)

    def episode_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Episode number of each dataset position."""
        return np.searchsorted(self._stops, positions, side="right")

    def read(self, positions: NDArray[np.int64], *, images: bool = True) -> list[ArrayItem]:
        """Read items; see `read_columns`.

        Returns:
            One item per position.
        """
        columns = self.read_columns(positions, images=images)
        values = {key: each.arrays() if isinstance(each, ImageRows) else each for key, each in columns.items()}
        return [{key: each[row] for key, each in values.items()} for row in range(len(positions))]

    def read_columns(self, positions: NDArray[np.int64], *, images: bool = True) -> Columns:
        """Read a batch.

        Args:
            positions: `(B,)` dataset positions, in any order.
            images: whether to decode cameras.

        Returns:
            Columns in the format's order: video cameras, columns, `_is_pad`, `task`.

        Raises:
            FrameIndexError: a position is outside the dataset.
            DatasetError: a file is missing or damaged.
        """
        outside = positions[(positions < 0) | (positions >= len(self))]
        if outside.size:
            raise FrameIndexError(f"frame {outside[0]} does not exist", expected=numbers_of(len(self)))
        episodes = self.episode_of(positions)
        starts, stops = self._starts[episodes], self._stops[episodes]
        wanted = {key: window_positions(positions, starts, stops, offsets) for key, offsets in self._windows.items()}
        places = {key: wanted[key].positions if key in wanted else positions for key in self._info.features}
        columns: Columns = {}
        if images:
            for key in self._info.video_keys:
                columns[key] = self._read_videos(key, places[key], starts, episodes)
        numbers = self.numbers.fetch({key: places[key] for key in self.numbers.keys})
        for key, feature in self._info.features.items():
            if feature["dtype"] == IMAGE:
                if images:
                    columns[key] = self._read_images(key, places[key])
            elif feature["dtype"] != VIDEO:
                columns[key] = numbers[key] if key in numbers else self._read_objects(key, places[key])
        for key, window in wanted.items():
            columns[f"{key}_is_pad"] = window.is_pad
        tasks = self.numbers.fetch({"task_index": positions})["task_index"]
        columns["task"] = [self._tasks.name(int(task)) for task in tasks]
        return columns

    def read_camera(self, key: str, positions: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Images of one camera at dataset positions, without anything else and without windows.

        Args:
            key: camera feature, however it is stored.
            positions: `(B,)` dataset positions.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        if self._info.features[key]["dtype"] == IMAGE:
            return self._read_images(key, positions).arrays()
        episodes = self.episode_of(positions)
        return self._read_videos(key, positions, self._starts[episodes], episodes).arrays()

    def _read_videos(
        self, key: str, places: NDArray[np.int64], starts: NDArray[np.int64], episodes: NDArray[np.int64]
    ) -> ImageRows:
        windows = places[:, None] if places.ndim == 1 else places
        rows = [
            [(episode, place - start) for place in window]
            for window, start, episode in zip(windows.tolist(), starts.tolist(), episodes.tolist(), strict=True)
        ]
        images = self.videos.read(key, (row for window in rows for row in window))
        if key in self._depth_tables:
            table = self._depth_tables[key]
            images = {row: table[codes][..., None] for row, codes in images.items()}
        # A window of one video frame has no time axis, unlike a window of one image: the format's readers agree on it.
        return ImageRows([[images[row] for row in window] for window in rows], with_time=windows.shape[1] > 1)

    def _read_images(self, key: str, places: NDArray[np.int64]) -> ImageRows:
        flat = places.ravel()
        decoded = [
            decode_image(value, self._root, f"{key} of frame {position}")
            for position, value in zip(flat.tolist(), self.objects.rows(key, flat), strict=True)
        ]
        if key in self._depth_tables:
            decoded = [convert_image(image, self._info.features[key], self._depth_unit) for image in decoded]
        size = 1 if places.ndim == 1 else places.shape[1]
        windows = [decoded[row : row + size] for row in range(0, len(decoded), size)]
        return ImageRows(windows, with_time=places.ndim > 1)

    def _read_objects(self, key: str, places: NDArray[np.int64]) -> list[Any]:
        values = self.objects.rows(key, places.ravel())
        if places.ndim == 1:
            return values
        size = places.shape[1]
        return [values[row : row + size] for row in range(0, len(values), size)]
