"""Zarr replay buffers of diffusion_policy: `data/*` with one row per frame, `meta/episode_ends`.

Source:
    https://github.com/real-stanford/diffusion_policy (README, "ReplayBuffer"); its images are 0 to 255 in any type.
"""

import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.arrays import FlatArrays, Rows
from lerobot.dataset_tools.formats.config import DiffusionPolicyConfig
from lerobot.dataset_tools.formats.files import library, reading
from lerobot.dataset_tools.formats.source import EpisodeSource


class WholeBytes:
    """Colour images stored as floats from 0 to 255, read as bytes.

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
        with np.errstate(invalid="ignore"):
            images: npt.NDArray[np.uint8] = values.astype(np.uint8)
        if not np.array_equal(images, values):
            raise ValueError("its images have values other than whole numbers from 0 to 255")
        return images


def open_diffusion_policy(config: DiffusionPolicyConfig) -> EpisodeSource:
    """Open a replay buffer.

    Raises:
        DatasetError: there is none, it is damaged, or a codec is unknown.
    """
    zarr = library("zarr", "zarr")
    path = config.path
    if not path.exists():
        raise DatasetError(f"there is no file or folder {path}")
    with ExitStack() as stack:
        expected = "a replay buffer with data/* and meta/episode_ends, in codecs that numcodecs knows"
        with reading(str(path), expected):
            store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else zarr.storage.LocalStore(path)
            names = _names(path)
            group = zarr.open_group(store, mode="r")
            stack.callback(store.close)
            ends = np.asarray(group["meta/episode_ends"][:], np.int64).ravel()
            found = {name: group[f"data/{name}"] for name in names}
            arrays: dict[str, Rows] = {
                name: _as_images(array) for name, array in found.items() if hasattr(array, "shape")
            }
        source = FlatArrays(str(path), arrays, ends, _target, close=store.close)
        stack.pop_all()
        return source


def _names(path: Path) -> list[str]:
    """Names below `data`; zarr's own listing leaves a traceback per damaged array in the log."""
    if path.is_dir():
        return sorted(entry.name for entry in (path / "data").iterdir() if entry.is_dir())
    with zipfile.ZipFile(path) as archive:
        parts = [name.split("/") for name in archive.namelist()]
    return sorted({part[1] for part in parts if part[0] == "data" and len(part) > 2})


def _as_images(array: Any) -> Any:
    is_image = array.dtype.kind == "f" and len(array.shape) == 4 and array.shape[3] in targets.COLOUR_CHANNELS
    return WholeBytes(array) if is_image else array


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    return targets.ACTION if name == "action" else targets.observation_target(name, dtype, shape)
