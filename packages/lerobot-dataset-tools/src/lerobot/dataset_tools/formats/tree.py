"""Recordings of any layout in HDF5 or zarr: every array is a field by its path, and `--map` says what it becomes.

An episode is a file, or a group: where a file consists of groups that hold the same arrays, such as `demo_0`, `demo_1`,
each of them is one. Instructions may be texts beside the arrays, attributes (`@name`) or the folder (`@folder`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.arrays import EpisodeArrays, Repeated, Rows, is_text, trimmed
from lerobot.dataset_tools.formats.config import HDF5Config, TreeConfig, ZarrConfig
from lerobot.dataset_tools.formats.files import OpenFiles, library, natural, open_hdf5, reading
from lerobot.dataset_tools.formats.source import EpisodeSource

FOLDER = "@folder"
"""Field with the name of the folder a file lies in, for recordings with a folder for each task."""


@dataclass(frozen=True, slots=True)
class _Episode:
    """Where an episode is: a file, and the group in it that holds its arrays."""

    file: Path
    group: str

    def __str__(self) -> str:
        return f"{self.file} {self.group}".rstrip()


def open_hdf5_tree(config: HDF5Config) -> EpisodeSource:
    """Open an HDF5 file, or a folder of them at any depth.

    Raises:
        DatasetError: there is none, or the first one is damaged or holds no array with a row per frame.
    """
    return _open(config, OpenFiles(open_hdf5))


def open_zarr_tree(config: ZarrConfig) -> EpisodeSource:
    """Open a zarr store, or a folder of them at any depth.

    Raises:
        DatasetError: there is none, or the first one is damaged or holds no array with a row per frame.
    """
    zarr = library("zarr", "zarr")

    def opened(path: Path) -> Any:
        with reading(str(path), "a zarr store, in codecs that numcodecs knows"):
            store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else zarr.storage.LocalStore(path)
        try:
            with reading(str(path), "a zarr store"):
                return zarr.open_group(store, mode="r")
        except BaseException:
            store.close()
            raise

    return _open(config, OpenFiles(opened, close=lambda group: group.store.close()))


def _open(config: TreeConfig, opened: OpenFiles[Any]) -> EpisodeSource:
    root = config.path

    @contextmanager
    def open_episode(number: int) -> Iterator[Mapping[str, Rows]]:
        episode = episodes[number]
        file = opened.get(episode.file)
        with reading(str(episode)):
            group = file[episode.group] if episode.group else file
            texts = _attributes(group)
            if episode.file.parent not in {root, root.parent}:
                texts[FOLDER] = episode.file.parent.name.replace("_", " ")
            arrays = _rows(_arrays(group), texts, config.trim)
        yield arrays

    try:
        files = config.chosen_files()
        episodes = [_Episode(file, group) for file in files for group in _groups(file, opened.get(file), config.group)]
        source = EpisodeArrays([str(each) for each in episodes], open_episode, lambda *_: None, close=opened.close)
        if not source.fields:
            raise DatasetError(f"{episodes[0]} holds no array with a row for each frame")
    except BaseException:
        opened.close()
        raise
    return source


def _groups(file: Path, root: Any, chosen: str | None) -> list[str]:
    """Groups of a file that are an episode each; the file itself, as '', where there are none."""
    with reading(str(file)):
        if chosen is None:
            return _episodes_below(root, "")
        path = chosen.strip("/")
        if path and path not in root:
            raise DatasetError(f"{file} has no group {path!r}", expected=f"one of {', '.join(root)}")
        names = sorted(_children(root[path] if path else root), key=natural)
        return [f"{path}/{name}".lstrip("/") for name in names] or [path]


def _episodes_below(group: Any, path: str) -> list[str]:
    """Numbered groups that hold the same arrays, at any depth; the group itself where it is no folder of such."""
    children = _children(group)
    if _has_arrays(group) or not children:
        return [path]
    paths = {name: f"{path}/{name}".lstrip("/") for name in sorted(children, key=natural)}
    if all(any(map(str.isdigit, name)) for name in children):
        alike = len({tuple(_arrays(child)) for child in children.values()}) == 1
        return list(paths.values()) if alike else [path]
    inner = [_episodes_below(children[name], below) for name, below in paths.items()]
    is_folder = all(found != [below] for found, below in zip(inner, paths.values(), strict=True))
    return [each for found in inner for each in found] if is_folder else [path]


def _children(group: Any) -> dict[str, Any]:
    return {name: group[name] for name in group if not hasattr(group[name], "shape")}


def _has_arrays(group: Any) -> bool:
    return any(hasattr(group[name], "shape") for name in group)


def _arrays(group: Any, prefix: str = "") -> dict[str, Any]:
    """Every array below a group, by its path."""
    found: dict[str, Any] = {}
    for name in sorted(group, key=natural):
        item = group[name]
        found |= {prefix + name: item} if hasattr(item, "shape") else _arrays(item, f"{prefix}{name}/")
    return found


def _attributes(group: Any) -> dict[str, str]:
    """Attributes that are texts, as `@name`."""
    found = {}
    for name, value in dict(group.attrs).items():
        if isinstance(value, str | bytes):
            found[f"@{name}"] = value if isinstance(value, str) else value.decode("utf-8")
    return found


def _rows(found: Mapping[str, Any], texts: dict[str, str], trim: int) -> dict[str, Rows]:
    """Arrays with a row per frame, and single texts for every one of them."""
    arrays: dict[str, Rows] = {}
    for name, array in found.items():
        single = array.shape in {(), (1,)}
        if single and is_text(array.dtype):
            value = np.asarray(array[()]).ravel()[0]
            texts[name] = value.decode("utf-8") if isinstance(value, bytes) else str(value)
        elif array.shape:
            arrays[name] = array
    arrays = trimmed(arrays, trim)
    longest = max((array.shape[0] for array in arrays.values()), default=0)
    return {**arrays, **{name: Repeated(text, longest) for name, text in texts.items()}} if arrays else {}
