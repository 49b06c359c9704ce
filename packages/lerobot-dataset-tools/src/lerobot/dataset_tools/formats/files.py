"""Finding the files of a source and opening them, with errors that name the file."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.core.extras import require

_DAMAGED = (
    *(OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error),
    # Not only what they mean to raise: a flipped bit may be a wrong type, name, size or version to their parsers.
    *(ValueError, TypeError, LookupError, RuntimeError, AttributeError, SystemError),
)


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
