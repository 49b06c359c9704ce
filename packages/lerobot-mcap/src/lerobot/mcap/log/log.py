"""Logs by their path: files, bags, and folders of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import natural
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.mcap_file import McapFile
from lerobot.mcap.log.topic import LogFile, Message, Place

METADATA = "metadata.yaml"
"""File that makes a folder a ROS 2 bag."""

_FILES: dict[str, Callable[[Path], LogFile]] = {".mcap": McapFile}
"""What reads a file, by its ending."""


class Log:
    """One recording: a file, or the files of a bag one after the other.

    Args:
        path: the file or the bag's folder.
        paths: its files.

    Attributes:
        path: the file or the bag's folder.

    Raises:
        DatasetError: a file cannot be opened.
    """

    def __init__(self, path: Path, paths: list[Path]) -> None:
        self.path = path
        self._files: list[LogFile] = []
        for each in paths:
            self._files.append(_FILES[each.suffix](each))

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
        """Close the files."""
        for file in self._files:
            file.close()


def open_logs(path: Path) -> list[Log]:
    """Open the log that a path names, or those in a folder, in natural order of their names.

    Raises:
        DatasetError: there is none, or one cannot be opened.
    """
    if path.is_dir() and not (path / METADATA).is_file():
        found = [each for each in path.iterdir() if each.suffix in _FILES or (each / METADATA).is_file()]
        if not found:
            endings = ", ".join(f"*{ending}" for ending in _FILES)
            raise DatasetError(f"{path} holds no log", expected=f"{endings}, or folders with {METADATA}")
        return [_open(each) for each in sorted(found, key=lambda each: natural(each.name))]
    if not path.exists():
        raise DatasetError(f"there is no file or folder {path}")
    return [_open(path)]


def _open(path: Path) -> Log:
    paths = _bag_files(path) if path.is_dir() else [path]
    for each in paths:
        if each.suffix not in _FILES:
            hint = "unpack it first" if each.suffix in (".zstd", ".gz", ".lz4") else ""
            raise DatasetError(f"{each} cannot be read", expected=f"a file *{', *'.join(_FILES)}", hint=hint)
    return Log(path, paths)


def _bag_files(folder: Path) -> list[Path]:
    """Files of a bag, in the order of its metadata; they lie in its folder, whatever their path says."""
    with reading_log(str(folder / METADATA), "the metadata of a ROS 2 bag"):
        try:
            described = yaml.safe_load((folder / METADATA).read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ValueError("it is no YAML") from error
        names = described["rosbag2_bagfile_information"]["relative_file_paths"]
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("it lists no files")
    paths = [folder / Path(name).name for name in names]
    for path in paths:
        if not path.is_file():
            raise DatasetError(f"there is no {path}", expected=f"the files that {folder / METADATA} lists")
    return paths
