"""Finding the files of a source and opening them, with errors that name the file."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Generic, TypeVar

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.core.extras import require

_DAMAGED = (
    *(OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error),
    # Not only what they mean to raise: a flipped bit may be a wrong type, name, size or version to their parsers.
    *(ValueError, TypeError, LookupError, RuntimeError, AttributeError, SystemError),
)


File = TypeVar("File")

MOST_OPEN = 32
"""Files that a source keeps open; an import in shards has no more of them in one."""


class OpenFiles(Generic[File]):
    """Files that stay open between looking into them and reading them, so that most are opened once.

    Args:
        opened: opens one.
        most: how many stay open; the one that was used longest ago is closed for the next.
        close: closes one.
    """

    def __init__(
        self,
        opened: Callable[[Path], File],
        most: int = MOST_OPEN,
        close: Callable[[Any], None] = lambda file: file.close(),
    ) -> None:
        self._opened = opened
        self._close = close
        self._most = most
        self._files: dict[Path, File] = {}

    def get(self, path: Path) -> File:
        """A file, open until others need its place."""
        file = self._files.pop(path, None)
        if file is None:
            while len(self._files) >= self._most:
                self._close(self._files.pop(next(iter(self._files))))
            file = self._opened(path)
        self._files[path] = file
        return file

    def close(self) -> None:
        """Close them all."""
        while self._files:
            self._close(self._files.popitem()[1])


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source, on this machine or on a server.

    Attributes:
        name: its path or address, for messages.
        open: opens it for reading bytes, seekable.
    """

    name: str
    open: Callable[[], BinaryIO]

    @classmethod
    def here(cls, path: Path) -> "SourceFile":
        """A file of this machine."""
        return cls(str(path), lambda: path.open("rb"))


def natural(name: str) -> list[tuple[int, str]]:
    """Key to sort `demo_10` after `demo_9`."""
    return [(int(digits or -1), text) for digits, text in re.findall(r"(\d*)(\D*)", name)]


def episode_files(path: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The one file that a path names, or those of certain names in the folder it names, in natural order.

    Raises:
        DatasetError: there is no such file or folder, or nothing in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DatasetError(f"there is no file or folder {path}")
    files = [file for pattern in patterns for file in path.glob(pattern)]
    if not files:
        raise DatasetError(f"{path} holds no file to import", expected=f"files such as {' or '.join(patterns)}")
    return sorted(files, key=lambda file: natural(file.name))


def files_below(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """The one file (or folder that is one, such as a zarr store) that a path names, or those below it, at any depth.

    Raises:
        DatasetError: there is none.
    """
    if path.is_file() or path.name.endswith(endings):
        return [path]
    files = [file for file in path.rglob("*") if file.name.endswith(endings)]
    if not files:
        raise DatasetError(f"{path} holds no file to import", expected=f"files that end in {' or '.join(endings)}")
    return sorted(files, key=lambda file: natural(str(file.relative_to(path))))


def named_files(path: Path, names: list[str]) -> list[Path]:
    """Files that are named by their place below a folder, or beside a file; the folder is not listed.

    Raises:
        DatasetError: one of them is not there.
    """
    folder = path.parent if path.is_file() else path
    files = [folder / name for name in names]
    if missing := [file for file in files if not file.exists()]:
        raise DatasetError(f"there is no file {missing[0]} to import")
    return files


def library(module: str, extra: str) -> ModuleType:
    """Import a library that only an extra of this package brings.

    Raises:
        LeRobotError: it is not installed; the hint is the command that installs it.
    """
    return require(module, extra=extra, needed_by="this format", distribution="lerobot-dataset-tools")


@contextmanager
def reading(what: str, expected: str = "") -> Iterator[None]:
    """Turn what the libraries raise for damaged files into one error that says which file.

    Args:
        what: what is read, for the message.
        expected: what would have been right.

    Raises:
        DatasetError: what is read inside is damaged.
    """
    try:
        yield
    except LeRobotError:
        raise
    except _DAMAGED as error:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
        raise DatasetError(f"{what} cannot be read: {reason}", expected=expected) from error


def open_hdf5(path: Path) -> Any:
    """Open an HDF5 file for reading, as `h5py.File`.

    Raises:
        DatasetError: there is none, or it is damaged.
        LeRobotError: h5py is not installed.
    """
    h5py = library("h5py", "hdf5")
    if not path.is_file():
        raise DatasetError(f"there is no file {path}")
    with reading(str(path), "a complete HDF5 file"):
        return h5py.File(path, "r")


@contextmanager
def kept_open(path: Path) -> Iterator[Any]:
    """Open an HDF5 file for the source that the block makes of it; it is closed here only if the block fails.

    Raises:
        DatasetError: see `open_hdf5`, or what the block reads is damaged.
    """
    file = open_hdf5(path)
    try:
        with reading(str(path)):
            yield file
    except BaseException:
        file.close()
        raise


def datasets_below(group: Any) -> dict[str, Any]:
    """Every dataset of an HDF5 group, by its path below the group, in the order of their names."""
    found: dict[str, Any] = {}
    group.visititems(lambda name, item: found.update({name: item}) if hasattr(item, "shape") else None)
    return found
