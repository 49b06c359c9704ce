"""One recording: a file, or the files of a bag one after the other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lerobot.mcap.log.mcap_file import McapFile
from lerobot.mcap.log.path import SQLITE, files_of
from lerobot.mcap.log.sqlite_file import SqliteFile
from lerobot.mcap.log.topic import LogFile, Message, Place
from lerobot.mcap.ros_types import DEFINITIONS


class Log:
    """One recording. Files are open from when they are read until `close`, and can be read again.

    Args:
        path: a file, or the folder of a bag.

    Attributes:
        path: the same.

    Raises:
        DatasetError: the bag lacks a file, or a file is of another kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        paths = files_of(path)
        self._files: list[LogFile] = [_file(each) for each in paths]
        self._begins = np.cumsum([0, *(each.stat().st_size for each in paths if each.is_file())]).tolist()

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return int(self._begins[-1])

    def position(self, file: int, place: Place) -> int:
        """How many of its bytes are before a message, for a bar of progress."""
        return int(self._begins[file]) + max(place.chunk, 0)

    def messages(self) -> Iterator[tuple[int, Message]]:
        """All messages, each with the number of its file, in the order of the files.

        Raises:
            DatasetError: a file is damaged; what was given before is whole.
        """
        for number, file in enumerate(self._files):
            for message in file.messages():
                yield number, message

    @property
    def cut_off(self) -> list[str]:
        """What is said about files that end early, after `messages`."""
        return [f"{file.path}: {file.end}; it is read up to there" for file in self._files if file.end]

    def read(self, file: int, place: Place) -> memoryview:
        """Bytes of one message; see `LogFile.read`."""
        return self._files[file].read(place)

    def close(self) -> None:
        """Close the files until they are read again."""
        for file in self._files:
            file.close()


def _file(path: Path) -> LogFile:
    # Bags of before ROS Iron hold no types: those of the usual messages are known here.
    return SqliteFile(path, DEFINITIONS) if path.suffix == SQLITE else McapFile(path)
