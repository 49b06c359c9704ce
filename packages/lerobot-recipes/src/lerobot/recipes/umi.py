"""Replay buffers of UMI: a zarr store of version 2 in one zip file, whose images may be JPEG XL.

Source:
    real-stanford/universal_manipulation_interface@d095ba95 (`meta/episode_ends`, `data/camera0_rgb`, `data/robot0_*`).
"""

import zipfile
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from lerobot.core.extras import require
from lerobot.dataset_tools.formats.arrays import FlatArrays, Rows
from lerobot.dataset_tools.formats.files import reading
from lerobot.dataset_tools.formats.source import EpisodeSource
from lerobot.recipes.config import UMIConfig
from lerobot.recipes.places import Place
from lerobot.recipes.recipe import table
from lerobot.recipes.rlds import with_recipe
from lerobot.recipes.zipped_store import ZippedStore

_EXPECTED = "a replay buffer of UMI: data/camera0_rgb, data/robot0_eef_pos, ..., meta/episode_ends"


class InMemory:
    """Numbers of all frames, read at their first use: some bytes a frame, from chunks that hold thousands.

    Args:
        array: an array on disk.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self._values: npt.NDArray[Any] | None = None
        self.dtype = array.dtype
        self.shape = array.shape

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        if self._values is None:
            self._values = np.asarray(self._array[:])
        return self._values[rows]


def open_umi(config: UMIConfig) -> EpisodeSource:
    """Open a replay buffer in a zip file.

    Raises:
        DatasetError: there is none, it is damaged, or it is something else.
        LeRobotError: its images are JPEG XL, and imagecodecs is not installed.
    """
    with ExitStack() as stack:
        with reading(config.path, _EXPECTED):
            file = stack.enter_context(Place(config.path, config.storage).file().open())
            archive = stack.enter_context(zipfile.ZipFile(file))
            store = ZippedStore(archive)
            _register_codec(store)
            group: Any = zarr.open_group(store, mode="r", zarr_format=2)
            ends = np.asarray(group["meta/episode_ends"][:], np.int64).ravel()
            found: dict[str, Any] = {name: group[f"data/{name}"] for name in store.folders("data/")}
            arrays: dict[str, Rows] = {
                name: array if len(array.shape) > 2 else InMemory(array) for name, array in found.items()
            }
        closing = stack.pop_all()
        stack.callback(closing.close)
        episodes = FlatArrays(config.path, arrays, ends, lambda *_: None, close=closing.close)
        source = with_recipe(config, table("umi")["umi"], episodes)
        stack.pop_all()
    return source


def _register_codec(store: ZippedStore) -> None:
    """Make zarr know the codecs of imagecodecs, if an array names one."""
    if any(b'"imagecodecs_' in store.read(f"data/{name}/.zarray") for name in store.folders("data/")):
        require(
            "imagecodecs.numcodecs",
            extra="jpegxl",
            needed_by="a buffer with JPEG XL images",
            distribution="lerobot-recipes",
        ).register_codecs(verbose=False)
