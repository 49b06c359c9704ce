"""NumPy archives, read row by row from the zip file; nothing in them is unpickled.

One file is one episode, unless it has `episode_ends`: then its arrays hold several, one after the other.

Source:
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.datasets.importing import targets
from lerobot.datasets.importing.arrays import EpisodeArrays, FlatArrays, Repeated, Rows
from lerobot.datasets.importing.config import NpzConfig
from lerobot.datasets.importing.files import episode_files
from lerobot.datasets.importing.source import TASK, TEXT, EpisodeSource

ENDS, FPS = "episode_ends", "fps"
_DAMAGED: Final = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_NAMES = {
    targets.ACTION: ("action", "actions"),
    targets.REWARD: ("reward", "rewards"),
    targets.DONE: ("done", "dones", "terminal", "terminals"),
    TASK: ("task", "tasks", "language", "language_instruction", "instruction"),
}
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

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        first, stop, _ = rows.indices(self.shape[0])
        if self._is_fortran and len(self.shape) > 1:
            # Rows of such an array are scattered over all of it.
            return self.whole()[first:stop]
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

    def _array(self, data: bytes, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if self.dtype.hasobject:
            raise ValueError("it holds pickled objects, which are never unpickled")
        if len(data) != self.dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
            raise ValueError(f"{self._member} ends early")
        return np.frombuffer(data, self.dtype).reshape(shape)


def open_npz(config: NpzConfig) -> EpisodeSource:
    """Open an archive, or a folder of archives with one episode each.

    Raises:
        DatasetError: there is none, or the first one is damaged.
    """
    files = episode_files(config.path, ("*.npz",))
    archive = _open_archive(files[0])
    try:
        arrays = _arrays(archive, files[0])
        fps = _single(arrays.pop(FPS), files[0]) if FPS in arrays else None
        if ENDS not in arrays:
            archive.close()
            return EpisodeArrays([str(file) for file in files], _opener(files), _target, fps=fps)
        ends = np.asarray(_single(arrays.pop(ENDS), files[0]), np.int64)
        task = next((_single(arrays[name], files[0]) for name in _NAMES[TASK] if _is_one_text(arrays.get(name))), None)
        return FlatArrays(str(files[0]), arrays, ends, _target, fps=fps, task=task, close=archive.close)
    except BaseException:
        archive.close()
        raise


def _opener(files: list[Path]) -> Any:
    @contextmanager
    def open_episode(episode: int) -> Iterator[Mapping[str, Rows]]:
        with _open_archive(files[episode]) as archive:
            arrays: dict[str, Any] = _arrays(archive, files[episode])
            length = max((array.shape[0] for array in arrays.values() if array.shape), default=0)
            for name in _NAMES[TASK]:
                if _is_one_text(arrays.get(name)):
                    arrays[name] = Repeated(_single(arrays[name], files[episode]), length)
            yield arrays

    return open_episode


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} cannot be opened: {error}", expected="a complete .npz file") from error


def _arrays(archive: zipfile.ZipFile, path: Path) -> dict[str, ZippedArray]:
    try:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        return {name.removesuffix(".npy"): ZippedArray(archive, name) for name in members}
    except _DAMAGED as error:
        raise DatasetError(f"{path} cannot be read: {error}", expected="a complete .npz file") from error


def _single(array: ZippedArray, path: Path) -> Any:
    """Value of an array that is not one per frame; a plain one for shape ()."""
    try:
        values = array.whole()
    except _DAMAGED as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    return values.item() if not array.shape else values


def _is_one_text(array: ZippedArray | None) -> bool:
    return array is not None and not array.shape and array.dtype.kind in "SU"


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    if name.startswith(("observation.", "next.")):
        return name
    if name in _TARGETS:
        return _TARGETS[name] if (_TARGETS[name] == TASK) == (dtype == TEXT) else None
    return targets.observation_target(name, dtype, shape)
