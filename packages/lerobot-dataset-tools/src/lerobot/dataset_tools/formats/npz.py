"""NumPy archives, read row by row from the zip file; nothing in them is unpickled.

One file is one episode, unless it has `episode_ends`: then its arrays hold several, one after the other.

Source:
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.arrays import EpisodeArrays, FlatArrays, Repeated, Rows, trimmed
from lerobot.dataset_tools.formats.config import NpzConfig
from lerobot.dataset_tools.formats.files import OpenFiles, reading
from lerobot.dataset_tools.formats.source import TASK, TEXT, EpisodeSource

_NAMES = {
    targets.ACTION: ("action", "actions"),
    targets.REWARD: ("reward", "rewards"),
    targets.DONE: ("done", "dones", "terminal", "terminals"),
    TASK: ("task", "tasks", "language", "language_instruction", "instruction"),
}
_OF_FILE = frozenset({"fps", "episode_ends"})
"""What an archive says about all of it."""
_TARGETS = {name: target for target, names in _NAMES.items() for name in names}


class ZippedArray:
    """One array of an archive, of which slices are read without the rest.

    Args:
        archive: the open archive.
        member: name of its file in it.

    Raises:
        ValueError: the file is no array.
    """

    def __init__(self, archive: zipfile.ZipFile, member: str) -> None:
        self._archive = archive
        self._member = member
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"{member} has version {version} of the format")
            one = version == (1, 0)
            read_header = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
            self.shape, self._is_fortran, self.dtype = read_header(file)
            self._begin = file.tell()
        self._row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        self._file: Any = None
        self._whole: npt.NDArray[Any] | None = None

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        first, stop, _ = rows.indices(self.shape[0])
        if self._is_fortran and len(self.shape) > 1:
            # Rows of such an array are scattered over all of it, so it is held whole.
            if self._whole is None:
                self._whole = self.whole()
            return self._whole[first:stop]
        if self._file is None:
            self._file = self._archive.open(self._member)
        self._file.seek(self._begin + first * self._row_bytes)
        return self._array(self._file.read((stop - first) * self._row_bytes), (stop - first, *self.shape[1:]))

    def whole(self) -> npt.NDArray[Any]:
        """All of the array."""
        with self._archive.open(self._member) as file:
            file.seek(self._begin)
            values = self._array(file.read(), self.shape[::-1] if self._is_fortran else self.shape)
        return values.T if self._is_fortran else values

    def close(self) -> None:
        """Close the file in the archive."""
        if self._file is not None:
            self._file.close()

    def _array(self, data: bytes, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if self.dtype.hasobject:
            raise ValueError("it holds pickled objects, which are never unpickled")
        if len(data) != self.dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
            raise ValueError(f"{self._member} ends early")
        return np.frombuffer(data, self.dtype).reshape(shape)


class Archive:
    """The arrays of a .npz file.

    Args:
        path: the file.

    Attributes:
        arrays: by name.

    Raises:
        DatasetError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.arrays: dict[str, ZippedArray] = {}
        with reading(str(path), "a complete .npz file"):
            self._zip = zipfile.ZipFile(path)
            try:
                for member in self._zip.namelist():
                    if member.endswith(".npy"):
                        self.arrays[member.removesuffix(".npy")] = ZippedArray(self._zip, member)
            except BaseException:
                self.close()
                raise

    def value(self, name: str) -> Any:
        """An array that is not one row per frame; a plain value for shape (), None if there is none."""
        array = self.arrays.get(name)
        if array is None:
            return None
        with reading(f"{self._path}: {name}"):
            values = array.whole()
        return values if array.shape else values.item()

    def task(self) -> tuple[str, str] | None:
        """The one instruction of the whole file, with its name."""
        for name in _NAMES[TASK]:
            array = self.arrays.get(name)
            if array is not None and not array.shape and array.dtype.kind == "U":
                return name, str(self.value(name))
        return None

    def rows(self) -> dict[str, ZippedArray]:
        """The arrays with a row per frame."""
        task = self.task()
        return {name: each for name, each in self.arrays.items() if name not in {*_OF_FILE, task and task[0]}}

    def close(self) -> None:
        """Close the file."""
        for array in self.arrays.values():
            array.close()
        self._zip.close()


def open_npz(config: NpzConfig) -> EpisodeSource:
    """Open an archive, or a folder of archives with one episode each.

    Raises:
        DatasetError: there is none, or the first one is damaged.
    """
    files = config.chosen_files()
    opened = OpenFiles(Archive, 1)
    try:
        archive = opened.get(files[0])
        fps, ends, task = archive.value("fps"), archive.value("episode_ends"), archive.task()
        if ends is not None:
            where, instruction = str(files[0]), task[1] if task else None
            with reading(f"{where}: episode_ends"):
                ends = np.asarray(ends, np.int64)
            return FlatArrays(where, archive.rows(), ends, _target, fps=fps, task=instruction, close=opened.close)
        open_episode = _opener(files, opened, config.trim)
        return EpisodeArrays([str(file) for file in files], open_episode, _target, fps=fps, close=opened.close)
    except BaseException:
        opened.close()
        raise


def _opener(
    files: list[Path], opened: OpenFiles[Archive], trim: int
) -> Callable[[int], AbstractContextManager[Mapping[str, Rows]]]:
    @contextmanager
    def open_episode(episode: int) -> Iterator[Mapping[str, Rows]]:
        archive = opened.get(files[episode])
        arrays: dict[str, Rows] = trimmed(archive.rows(), trim)
        if task := archive.task():
            name, text = task
            length = max((array.shape[0] for array in arrays.values() if array.shape), default=0)
            arrays[name] = Repeated(text, length)
        yield arrays

    return open_episode


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    if name.startswith(("observation.", "next.")):
        return name
    if name in _TARGETS:
        return _TARGETS[name] if (_TARGETS[name] == TASK) == (dtype == TEXT) else None
    return targets.observation_target(name, dtype, shape)
