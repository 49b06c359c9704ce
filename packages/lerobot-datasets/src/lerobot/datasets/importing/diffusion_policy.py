"""Zarr replay buffers of diffusion_policy: `data/*` with one row per frame, `meta/episode_ends`.

Source:
    https://github.com/real-stanford/diffusion_policy (README, "ReplayBuffer"); its pictures are 0 to 255 in any type.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.datasets.importing import targets
from lerobot.datasets.importing.arrays import FlatArrays, Rows
from lerobot.datasets.importing.config import DiffusionPolicyConfig
from lerobot.datasets.importing.files import library
from lerobot.datasets.importing.source import EpisodeSource


class WholeBytes:
    """Colour pictures stored as floats from 0 to 255, read as bytes.

    Args:
        array: (N, H, W, 3) floats.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.dtype = np.dtype(np.uint8)
        self.shape = array.shape
        self.chunks = array.chunks

    def __getitem__(self, rows: slice, /) -> npt.NDArray[np.uint8]:
        values = self._array[rows]
        pictures: npt.NDArray[np.uint8] = values.astype(np.uint8)
        if not np.array_equal(pictures, values):
            raise ValueError("its pictures have values other than whole numbers from 0 to 255")
        return pictures


def open_diffusion_policy(config: DiffusionPolicyConfig) -> EpisodeSource:
    """Open a replay buffer.

    Raises:
        DatasetError: there is none, it is damaged, or a codec is unknown.
    """
    path = config.path.expanduser()
    group, close = _open_group(path)
    try:
        try:
            ends = np.asarray(group["meta/episode_ends"][:], np.int64).ravel()
            arrays: dict[str, Rows] = {name: _as_pictures(array) for name, array in sorted(group["data"].arrays())}
        except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{path} cannot be read: {_reason(error)}",
                expected="a replay buffer with data/* and meta/episode_ends, in codecs that numcodecs knows",
            ) from error
        return FlatArrays(str(path), arrays, ends, _target, close=close)
    except BaseException:
        close()
        raise


def _open_group(path: Path) -> tuple[Mapping[str, Any], Any]:
    zarr = library("zarr", "zarr")
    if not path.exists():
        raise DatasetError(f"there is no file or folder {path}")
    try:
        store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else zarr.storage.LocalStore(path)
        return zarr.open_group(store, mode="r"), store.close
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise DatasetError(
            f"{path} cannot be opened: {_reason(error)}", expected="a zarr folder or a .zarr.zip file"
        ) from error


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _as_pictures(array: Any) -> Any:
    is_picture = array.dtype.kind == "f" and len(array.shape) == 4 and array.shape[3] in targets.COLOUR_CHANNELS
    return WholeBytes(array) if is_picture else array


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    return targets.ACTION if name == "action" else targets.observation_target(name, dtype, shape)
