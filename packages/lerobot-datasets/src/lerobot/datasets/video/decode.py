"""Pictures of a video file by their position in it, decoded with PyAV."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.error
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.backend import choose_backend
from lerobot.datasets.video.encode import open_video
from lerobot.datasets.video.frame_table import FrameTable, read_frame_table

Picture: TypeAlias = NDArray[Any]
"""`(H, W, 3)` uint8 RGB, or `(H, W)` uint16 codes of a depth video."""

CACHE_SIZE_VARIABLE = "LEROBOT_VIDEO_DECODER_CACHE_SIZE"
DEFAULT_CACHE_SIZE = 32
"""Most files a process keeps open; a decoder holds a few pictures and one file descriptor."""
MOST_TABLES = 4096
"""Most frame tables a process keeps, about 10 bytes a picture."""


class VideoFile:
    """One open file.

    Decoding goes forward: a picture after the last one is reached without seeking, unless a key frame lies between.

    Args:
        path: the file.
        table: its pictures if they are known, to save reading its index.
        is_depth: give the codes of a depth video instead of colours.

    Raises:
        DatasetError: the file is missing, damaged or holds no pictures.
    """

    def __init__(self, path: Path, table: FrameTable | None = None, *, is_depth: bool = False) -> None:
        self.path = path
        if not path.exists():
            raise DatasetError(f"{path} is missing, with the pictures of its episodes")
        self._container = open_video(path)
        self._stream = self._container.streams.video[0]
        # One thread: waiting for others costs a random access more than they decode, and workers are processes.
        self._stream.codec_context.thread_count = 1
        self.table = table or read_frame_table(self._container, str(path))
        self._format = "gray12le" if is_depth else "rgb24"
        self._reformatter = VideoReformatter()
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = -1

    def close(self) -> None:
        """Close the file."""
        self._frames = iter(())
        self._container.close()

    def read(self, positions: Sequence[int]) -> dict[int, Picture]:
        """Decode pictures, in one pass forward.

        Args:
            positions: which ones, ascending, without repetition.

        Returns:
            The pictures by position.

        Raises:
            DatasetError: a position is outside the file, or a picture cannot be decoded.
        """
        self._check(positions)
        return {position: self._convert(self._frame(position)) for position in positions}

    def _check(self, positions: Sequence[int]) -> None:
        if positions and not 0 <= positions[0] <= positions[-1] < len(self.table):
            raise DatasetError(f"{self.path} has no picture {positions[-1]}", expected=f"0 to {len(self.table) - 1}")

    def _frame(self, position: int) -> av.VideoFrame:
        key = self.table.key_before(position)
        try:
            if int(self.table.key_positions[key]) <= self._next <= position:
                frame = self._advance(position)
                if frame is not None:
                    return frame
            # Containers are sought by presentation or by decoding time, depending on how they were written.
            for offset in (self.table.key_pts[key], self.table.key_dts[key], self.table.key_dts[0]):
                self._container.seek(int(offset), stream=self._stream, backward=True)
                self._frames = self._container.decode(self._stream)
                if (frame := self._advance(position)) is not None:
                    return frame
        except (av.error.FFmpegError, OSError) as error:
            self._next = -1
            raise DatasetError(f"{self.path}: picture {position} cannot be decoded: {error}") from error
        self._next = -1
        raise DatasetError(f"{self.path}: picture {position} cannot be decoded", expected="a complete mp4 file")

    def _advance(self, position: int) -> av.VideoFrame | None:
        """Decode forward to a picture; None if decoding is already past it or ends before."""
        wanted = int(self.table.pts[position])
        for frame in self._frames:
            if frame.pts is not None and frame.pts >= wanted:
                if frame.pts > wanted:
                    break
                if frame.is_corrupt:
                    raise DatasetError(f"{self.path}: picture {position} is damaged", expected="a complete mp4 file")
                self._next = position + 1
                return frame
        self._next = -1
        return None

    def _convert(self, frame: av.VideoFrame) -> Picture:
        picture: Picture = self._reformatter.reformat(frame, format=self._format, threads=1).to_ndarray()
        return picture


class VideoFiles:
    """Open files of one process, the least recently used closed first.

    Nothing is open after pickling or forking: every process opens its own files when it first reads.

    Args:
        size: most open files; `$LEROBOT_VIDEO_DECODER_CACHE_SIZE` or 32 if None.
        backend: what decodes colour pictures, see `choose_backend`; depth is always decoded by PyAV.
    """

    def __init__(self, size: int | None = None, backend: str | None = "pyav") -> None:
        self._size = _cache_size() if size is None else max(size, 1)
        self._backend = backend
        self._owner = os.getpid()
        self._open: OrderedDict[Path, VideoFile] = OrderedDict()
        self._tables: OrderedDict[Path, FrameTable] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process starts without open files."""
        return VideoFiles, (self._size, self._backend)

    def __len__(self) -> int:
        return len(self._open)

    def get(self, path: Path, *, is_depth: bool = False) -> VideoFile:
        """The open file, opened if need be.

        Raises:
            DatasetError: see `VideoFile`.
        """
        if self._owner != os.getpid():
            # The files share their offset with the parent, so they cannot be read here. They have no threads whose
            # absence would make closing them wait for ever.
            self._owner, self._open = os.getpid(), OrderedDict()
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        while len(self._open) >= self._size:
            self._open.popitem(last=False)[1].close()
        file = self._open[path] = self._open_file(path, is_depth=is_depth)
        self._tables[path] = file.table
        self._tables.move_to_end(path)
        if len(self._tables) > MOST_TABLES:
            self._tables.popitem(last=False)
        return file

    def _open_file(self, path: Path, *, is_depth: bool) -> VideoFile:
        if is_depth or choose_backend(self._backend) == "pyav":
            return VideoFile(path, self._tables.get(path), is_depth=is_depth)
        # Only where it is used: it brings torch.
        from lerobot.datasets.video.torchcodec_file import TorchcodecFile

        return TorchcodecFile(path, self._tables.get(path))

    def table(self, path: Path, *, is_depth: bool = False) -> FrameTable:
        """The pictures of a file, which is opened only if they are not known.

        Raises:
            DatasetError: see `VideoFile`.
        """
        return self._tables[path] if path in self._tables else self.get(path, is_depth=is_depth).table

    def discard(self, path: Path) -> None:
        """Close a file and forget it."""
        self._tables.pop(path, None)
        if self._owner == os.getpid() and (file := self._open.pop(path, None)) is not None:
            file.close()

    def close(self) -> None:
        """Close every file; the next `get` opens anew and reads the file's index again."""
        if self._owner == os.getpid():
            for file in self._open.values():
                file.close()
        self._open.clear()
        self._tables.clear()


def _cache_size() -> int:
    text = os.environ.get(CACHE_SIZE_VARIABLE, "")
    if not text:
        return DEFAULT_CACHE_SIZE
    try:
        size = int(text)
    except ValueError as error:
        raise DatasetError(f"{CACHE_SIZE_VARIABLE} is {text!r}", expected="a number of files, such as 32") from error
    return max(size, 1)
