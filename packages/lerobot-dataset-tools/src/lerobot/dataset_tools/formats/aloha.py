"""ALOHA HDF5 files: one per episode, with `observations/{qpos, qvel, effort, images/*}` and `action`.

Compressed images are rows of bytes padded with zeros to one length.

Source:
    https://github.com/tonyzhaozh/act (record_sim_episodes.py) and https://github.com/tonyzhaozh/aloha
    (record_episodes.py); the rate is not in the file.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.arrays import EpisodeArrays, Repeated
from lerobot.dataset_tools.formats.config import AlohaConfig
from lerobot.dataset_tools.formats.files import OpenFiles, datasets_below, open_hdf5, reading
from lerobot.dataset_tools.formats.images import decode_image
from lerobot.dataset_tools.formats.source import TASK, EpisodeSource

_IMAGES = "observations/images/"
_DEPTH = "observations/images_depth/"
_INSTRUCTION = "language_raw"
_TARGETS = {
    "action": targets.ACTION,
    "observations/qpos": targets.STATE,
    "observations/qvel": "observation.velocity",
    "observations/effort": "observation.effort",
    _INSTRUCTION: TASK,
}


class CompressedImages:
    """Compressed images of one camera, decoded as they are read.

    Args:
        array: rows of bytes: (N, size) uint8, N of fixed length, or N of variable length.
        swap: exchange red and blue.
    """

    def __init__(self, array: Any, *, swap: bool) -> None:
        self._array = array
        self._swap = swap
        first = self._decode(array[0]) if len(array) else np.empty((0, 0, 3), np.uint8)
        self.dtype = first.dtype
        self.shape = (len(array), *first.shape)

    def __getitem__(self, rows: slice, /) -> list[npt.NDArray[np.generic]]:
        return [self._decode(encoded) for encoded in self._array[rows]]

    def _decode(self, encoded: Any) -> npt.NDArray[np.generic]:
        image = decode_image(np.asarray(encoded).tobytes(), f"{self._array.file.filename}: {self._array.name}")
        return image[..., ::-1] if self._swap else image


def open_aloha(config: AlohaConfig) -> EpisodeSource:
    """Open a folder of episodes, or one of them.

    Raises:
        DatasetError: there is none, or the first one is damaged or lacks actions.
    """
    files = config.chosen_files()
    opened = OpenFiles(open_hdf5, 1)

    @contextmanager
    def open_episode(episode: int) -> Iterator[Mapping[str, Any]]:
        file = opened.get(files[episode])
        with reading(str(files[episode])):
            arrays = datasets_below(file)
            if "action" not in arrays:
                raise DatasetError(f"{files[episode]} lacks action", expected="an ALOHA episode")
            readable = {name: _readable(name, array, arrays, config) for name, array in arrays.items()}
        yield readable

    return EpisodeArrays([str(file) for file in files], open_episode, _target, close=opened.close)


def _readable(name: str, array: Any, arrays: Mapping[str, Any], config: AlohaConfig) -> Any:
    if name.startswith(_IMAGES) and len(array.shape) < 3:
        return CompressedImages(array, swap=config.swap_red_and_blue)
    if name == _INSTRUCTION and array.size == 1:
        return Repeated(np.asarray(array.asstr()[...]).item(), arrays["action"].shape[0])
    return array


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    if name.startswith(_IMAGES):
        return targets.camera_feature(name)
    if name.startswith(_DEPTH) and targets.is_depth(dtype, shape):
        return f"{targets.camera_feature(name)}_depth"
    return _TARGETS.get(name)
