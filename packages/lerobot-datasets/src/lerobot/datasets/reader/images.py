"""From an episode's rows to the images of its video file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.info import Info
from lerobot.datasets.video.decode import Image
from lerobot.datasets.video.frame_table import FrameTable
from lerobot.datasets.video.open_files import VideoFiles


class FrameTimestampError(DatasetError, ValueError):
    """A row has no image of its own in the video."""


@dataclass(frozen=True, slots=True)
class ImageRows:
    """Images of one camera for a batch, each an array of its own.

    Attributes:
        windows: for each of B rows its T images `(H, W, C)`; depth has C = 1.
        with_time: whether a row has an axis of time; without, T is 1.
    """

    windows: list[list[Image]]
    with_time: bool

    def arrays(self) -> list[NDArray[Any]]:
        """Each row as an array of its own, `(T, H, W, C)` or `(H, W, C)`."""
        stacked = [np.stack(window) for window in self.windows]
        return stacked if self.with_time else [window[0] for window in stacked]


@dataclass(frozen=True, slots=True)
class _Clip:
    """An episode's part of a video file.

    Attributes:
        path: the file.
        begin: when its first image is shown, seconds.
        end: when its last one ends, as the episodes table says; None for the end of the file.
        following: when the next episode of the file begins; None for the end of the file.
        length: rows of the episode.
    """

    path: Path
    begin: float
    end: float | None
    following: float | None
    length: int


class EpisodeVideos:
    """Images of every camera that is stored as video, by row.

    An episode's images are those its file shows from `from_timestamp` to `to_timestamp`; or to the next episode of the
    file, where just these are as many as the episode has rows: writers differ in what they call an end. Row k has the
    k-th. Where there are more (a video faster than the rows), the one shown at the row's time is
    taken, and must be within the tolerance. Where there are fewer nobody knows which rows lost theirs.

    Args:
        root: folder of the dataset.
        info: its `info.json`.
        episodes: its episodes.
        tolerance_s: largest distance of an image from its row's time in the second case, seconds.
        backend: what decodes, see `VideoFiles`.
    """

    def __init__(
        self, root: Path, info: Info, episodes: Episodes, tolerance_s: float, backend: str | None = "pyav"
    ) -> None:
        self._root = root
        self._info = info
        self._episodes = episodes
        self._tolerance_s = tolerance_s
        self._depth = frozenset(info.depth_keys)
        self._following: dict[str, NDArray[np.float64]] = {}
        self._files = VideoFiles(backend=backend)

    def read(self, key: str, rows: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Image]:
        """Decode the images of rows of one camera, each file in one pass forward.

        Args:
            key: camera feature stored as video.
            rows: pairs of episode and frame in it, in any order and with repetitions.

        Returns:
            `(H, W, 3)` uint8, or `(H, W)` uint16 codes of depth, by row.

        Raises:
            DatasetError: a file is missing or damaged.
            FrameTimestampError: a row has no image.
        """
        wanted: dict[Path, dict[int, list[tuple[int, int]]]] = {}
        for row in set(rows):
            clip = self._clip(key, row[0])
            table = self._files.table(clip.path, is_depth=key in self._depth)
            wanted.setdefault(clip.path, {}).setdefault(self._position(clip, table, row), []).append(row)
        images: dict[tuple[int, int], Image] = {}
        for path, places in wanted.items():
            decoded = self._files.get(path, is_depth=key in self._depth).read(sorted(places))
            images.update((row, decoded[position]) for position, same in places.items() for row in same)
        return images

    def path(self, key: str, episode: int) -> Path:
        """The video file that holds an episode's images."""
        return self._clip(key, episode).path

    def span(self, key: str, episode: int) -> tuple[int, int]:
        """First position of an episode's images in its video file, and the one after the last; nothing is decoded."""
        clip = self._clip(key, episode)
        return _span(clip, self._files.table(clip.path, is_depth=key in self._depth))

    def declared_stop(self, key: str, episode: int) -> int:
        """The position after an episode's last image, by its `to_timestamp`, which `span` may know better."""
        clip = self._clip(key, episode)
        return _position_at(clip.end, self._files.table(clip.path, is_depth=key in self._depth))

    def table(self, key: str, episode: int) -> FrameTable:
        """The images of the video file that holds an episode's."""
        return self._files.table(self._clip(key, episode).path, is_depth=key in self._depth)

    def discard(self, path: Path) -> None:
        """Close one file, which is about to go."""
        self._files.discard(path)

    def close(self) -> None:
        """Close all files."""
        self._files.close()

    def _clip(self, key: str, episode: int) -> _Clip:
        column = self._episodes.column
        chunk, file = (int(column(f"videos/{key}/{name}")[episode]) for name in ("chunk_index", "file_index"))
        begin, end = (float(column(f"videos/{key}/{name}")[episode]) for name in ("from_timestamp", "to_timestamp"))
        return _Clip(
            path=self._root / self._info.video_file(key, chunk, file),
            begin=begin,
            # A v2.x file is one episode, whatever its length.
            end=None if self._info.is_legacy else end,
            following=None if self._info.is_legacy else self._next_begin(key, episode),
            length=int(column("length")[episode]),
        )

    def _next_begin(self, key: str, episode: int) -> float | None:
        """When the next episode of an episode's file begins; None if it is the last one there."""
        if key not in self._following:
            self._following[key] = _next_begins(
                *(
                    self._episodes.column(f"videos/{key}/{name}")
                    for name in ("chunk_index", "file_index", "from_timestamp")
                )
            )
        begin = float(self._following[key][episode])
        return None if np.isnan(begin) else begin

    def _position(self, clip: _Clip, table: FrameTable, row: tuple[int, int]) -> int:
        episode, frame = row
        first, stop = _span(clip, table)
        count = stop - first
        if count == clip.length:
            return first + frame
        if count < clip.length:
            raise FrameTimestampError(
                f"{clip.path} has {count} images of episode {episode}, which has {clip.length} rows",
                expected="an image for every row",
                hint=f"Leave the episode out, or delete it: lerobot edit-dataset --operation.type=delete_episodes "
                f'--operation.episode_indices="[{episode}]"',
            )
        time = clip.begin + frame / self._info.fps
        position = table.nearest(time)
        if position >= len(table) or abs(table.time(position) - time) > self._tolerance_s:
            raise FrameTimestampError(
                f"{clip.path} shows no image at {time:.4f} s, the time of frame {frame} of episode {episode}",
                expected=f"one within {self._tolerance_s} s",
            )
        return position


def _span(clip: _Clip, table: FrameTable) -> tuple[int, int]:
    first, stop, following = (_position_at(time, table) for time in (clip.begin, clip.end, clip.following))
    # Only an exact count is believed: images beyond `to_timestamp` may also be of an episode that was never saved.
    return first, following if stop - first != clip.length == following - first else stop


def _position_at(time: float | None, table: FrameTable) -> int:
    return len(table) if time is None else table.nearest(time)


def _next_begins(
    chunks: NDArray[np.int64], files: NDArray[np.int64], begins: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Per episode when the next one of its file begins; NaN for the last one of a file."""
    order = np.lexsort((begins, files, chunks))
    same_file = (chunks[order][1:] == chunks[order][:-1]) & (files[order][1:] == files[order][:-1])
    following = np.full(len(begins), np.nan)
    following[order[:-1]] = np.where(same_file, begins[order][1:], np.nan)
    return following
