"""Frames of a dataset as tensors, one at a time or a batch in one call."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata, MetadataFacts
from lerobot.datasets.dataset.subset import FrameSubset, Item
from lerobot.datasets.format.depth import DepthUnit
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.kept import KeptVideos
from lerobot.datasets.reader.reader import ArrayItem, FrameIndexError, FrameReader
from lerobot.datasets.reader.windows import parse_windows
from lerobot.datasets.video.backend import choose_backend

if TYPE_CHECKING:
    from lerobot.datasets.reader.memory import ImageMemory


class FrameDataset(MetadataFacts):
    """A map-style dataset over the frames of chosen episodes; see `LeRobotDataset`, which can also be written.

    Args:
        meta: metadata of the dataset.
        episodes: numbers of the episodes to read, all if None; their order does not matter.
        image_transforms: applied to the images of each colour camera.
        delta_timestamps: frames around each frame, by feature, in seconds.
        tolerance_s: largest distance of those from whole frames.
        return_uint8: leave colour video images as `uint8`.
        depth_output_unit: unit of depth.
        video_backend: what decodes videos, see `choose_backend`.
        in_memory: keep the images of videos once they are decoded; they have to fit, as bytes.

    Raises:
        DatasetError: an episode does not exist.
        FeatureMismatchError: `delta_timestamps` does not fit the dataset.
    """

    def __init__(
        self,
        meta: LeRobotDatasetMetadata,
        *,
        episodes: Iterable[int] | None = None,
        image_transforms: Callable[[Any], Any] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None,
        tolerance_s: float = 1e-4,
        return_uint8: bool = False,
        depth_output_unit: DepthUnit = "mm",
        video_backend: str | None = None,
        in_memory: bool = False,
    ) -> None:
        if depth_output_unit not in ("m", "mm"):
            raise DatasetError(f"depth_output_unit is {depth_output_unit!r}", expected="'m' or 'mm'")
        self.meta = meta
        self.image_transforms = image_transforms
        self.delta_timestamps = delta_timestamps
        self.tolerance_s = tolerance_s
        self.return_uint8 = return_uint8
        self.depth_output_unit: DepthUnit = depth_output_unit
        self.in_memory = in_memory
        self.video_backend = video_backend
        if video_backend is not None:
            choose_backend(video_backend)
        self.episodes = None if episodes is None else _known_episodes(episodes, meta)
        self._memory: ImageMemory | None = None
        self._open_reader()

    def _open_reader(self) -> None:
        meta = self.meta
        windows = parse_windows(self.delta_timestamps, meta.features, meta.fps, self.tolerance_s)
        videos = KeptVideos if self.in_memory else EpisodeVideos
        self._reader = FrameReader(
            meta.root,
            meta.info,
            meta.episodes,
            meta.tasks,
            windows=windows,
            depth_unit=self.depth_output_unit,
            videos=videos(meta.root, meta.info, meta.episodes, self.tolerance_s, self.video_backend),
        )
        chosen = slice(None) if self.episodes is None else np.array(self.episodes, np.int64)
        lengths = meta.episodes.column("length")[chosen]
        self._ends: NDArray[np.int64] = np.cumsum(lengths)
        # What to add to an index within the chosen episodes to get its position in the dataset.
        self._shifts: NDArray[np.int64] = meta.episodes.column("dataset_to_index")[chosen] - self._ends

    def __len__(self) -> int:
        return int(self._ends[-1]) if self._ends.size else 0

    @property
    def num_frames(self) -> int:
        """Frames of the chosen episodes."""
        return len(self)

    @property
    def num_episodes(self) -> int:
        """Chosen episodes."""
        return len(self._ends)

    @property
    def reader(self) -> FrameReader:
        """Reads by dataset position, as arrays."""
        return self._reader

    @property
    def episode_indices(self) -> NDArray[np.int64]:
        """Numbers of the chosen episodes, ascending."""
        return np.arange(self.meta.total_episodes) if self.episodes is None else np.array(self.episodes, np.int64)

    @property
    def episode_bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First index of each chosen episode and the one after its last, in this dataset's own numbering."""
        return np.concatenate([[0], self._ends[:-1]]).astype(np.int64)[: len(self._ends)], self._ends

    @property
    def absolute_to_relative_idx(self) -> dict[int, int] | None:
        """Index in this dataset of each frame of the whole one; None if all episodes are chosen."""
        if self.episodes is None:
            return None
        return {position: index for index, position in enumerate(self.positions(np.arange(len(self))).tolist())}

    def positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions in the whole dataset of indices into the chosen episodes.

        Raises:
            FrameIndexError: an index is outside, counted from either end.
        """
        size = len(self)
        wrapped = np.where(indices < 0, indices + size, indices)
        outside = (wrapped < 0) | (wrapped >= size)
        if outside.any():
            raise FrameIndexError(f"frame {indices[outside][0]} does not exist", expected=f"{-size} to {size - 1}")
        return wrapped + self._shifts[np.searchsorted(self._ends, wrapped, side="right")]

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> FrameSubset: ...

    def __getitem__(self, index: int | slice) -> Item | FrameSubset:
        """One frame, counted from either end, or the frames of a slice, which are read when they are used.

        Raises:
            FrameIndexError: there is no such frame; also an `IndexError`.
            DatasetError: a file is missing or damaged, or a row has no image.
        """
        if isinstance(index, slice):
            return FrameSubset(self, range(*index.indices(len(self))))
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> list[Item]:
        """A batch of frames, in the order asked; each file is read in one pass. The DataLoader calls this."""
        # Only here: recording and editing need no torch.
        from lerobot.datasets.reader.memory import ImageMemory
        from lerobot.datasets.reader.tensors import to_tensors

        if self._memory is None:
            self._memory = ImageMemory(len(self.meta.camera_keys))
        columns = self._reader.read_columns(self.positions(np.fromiter(indices, np.int64)))
        return to_tensors(
            columns,
            self.features,
            return_uint8=self.return_uint8,
            transforms=self.image_transforms,
            memory=self._memory,
        )

    def read_arrays(self, indices: Iterable[int], *, pictures: bool = True) -> list[ArrayItem]:
        """A batch of frames as arrays, without torch; images are `(H, W, C)`.

        Args:
            indices: into the chosen episodes.
            pictures: whether to decode cameras.
        """
        positions = self.positions(np.fromiter(indices, np.int64))
        return self._reader.read(positions, images=pictures)

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(len(self)))

    def set_image_transforms(self, image_transforms: Callable[[Any], Any] | None) -> None:
        """Replace what is applied to images.

        Raises:
            TypeError: it cannot be called.
        """
        if image_transforms is not None and not callable(image_transforms):
            raise TypeError(f"image_transforms is {image_transforms!r}, which cannot be called")
        self.image_transforms = image_transforms

    def clear_image_transforms(self) -> None:
        """Apply nothing to images."""
        self.image_transforms = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.repo_id!r}, episodes={self.num_episodes}, frames={self.num_frames})"


def _known_episodes(episodes: Iterable[int], meta: LeRobotDatasetMetadata) -> list[int]:
    chosen = sorted(set(map(int, episodes)))
    unknown = [episode for episode in chosen if not 0 <= episode < meta.total_episodes]
    if unknown or not chosen:
        raise DatasetError(
            f"{meta.repo_id} has no episode {', '.join(map(str, unknown))}" if unknown else "no episode was chosen",
            expected=f"0 to {meta.total_episodes - 1}",
        )
    return chosen
