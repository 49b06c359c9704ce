"""The video files that a process keeps open, and the tables of images that it keeps of more."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.backend import choose_backend
from lerobot.datasets.video.decode import VideoFile
from lerobot.datasets.video.frame_table import FrameTable

CACHE_SIZE_VARIABLE = "LEROBOT_VIDEO_DECODER_CACHE_SIZE"
DEFAULT_CACHE_SIZE = 32
"""Most files a process keeps open; a decoder holds a few images and one file descriptor."""
MOST_TABLES = 4096
"""Most frame tables a process keeps, about 10 bytes an image."""


class VideoFiles:
    """Open files of one process, the least recently used closed first.

    Nothing is open after pickling or forking: every process opens its own files when it first reads.

    Args:
        size: most open files; `$LEROBOT_VIDEO_DECODER_CACHE_SIZE` or 32 if None.
        backend: what decodes colour images, see `choose_backend`; depth is always decoded by PyAV.
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
        """The images of a file, which is opened only if they are not known.

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
