"""Items as torch tensors; with `memory`, `items` and `hugging_face` the modules of this package that import torch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.images import unit_range
from lerobot.datasets.format.features import VIDEO, FeatureMap, is_depth
from lerobot.datasets.reader.images import PictureRows
from lerobot.datasets.reader.items import FrameItem
from lerobot.datasets.reader.memory import PictureMemory
from lerobot.datasets.reader.reader import Columns


def to_tensors(
    columns: Columns,
    features: FeatureMap,
    *,
    return_uint8: bool = False,
    transforms: Callable[[Any], Any] | None = None,
    memory: PictureMemory | None = None,
) -> list[dict[str, Any]]:
    """Make items of a batch's arrays.

    Args:
        columns: as read by `FrameReader`; emptied, so that pictures are held once and not twice.
        features: declarations of the dataset.
        return_uint8: leave colour video pictures as `uint8` in 0 .. 255; images stay float.
        transforms: applied to the pictures of each colour camera, last; one draw serves a whole window.
        memory: where pictures are put; fresh memory if None.

    Returns:
        One `FrameItem` per row. Numbers are tensors of their shape, scalars 0-dimensional; colours `(C, H, W)` or
        `(T, C, H, W)` float32 in [0, 1]; depth `(1, H, W)` float32 in the dataset's depth unit; texts and annotations
        stay as they are.
    """
    made: dict[str, Sequence[Any]] = {}
    for key in list(columns):
        values = columns.pop(key)
        if isinstance(values, np.ndarray):
            made[key] = torch.from_numpy(values).unbind()
        elif isinstance(values, PictureRows):
            depth, keep = is_depth(features[key]), return_uint8 and features[key]["dtype"] == VIDEO
            pictures = _batch_of_pictures(values, memory or PictureMemory(1), depth=depth, keep_uint8=keep)
            made[key] = pictures if transforms is None or depth else [transforms(picture) for picture in pictures]
        else:
            made[key] = values
    return [FrameItem(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]


def _batch_of_pictures(
    pictures: PictureRows, memory: PictureMemory, *, depth: bool, keep_uint8: bool
) -> Sequence[torch.Tensor]:
    """The pictures of each row, side by side in one tensor if they are of one size."""
    flat = [picture for window in pictures.windows for picture in window]
    shapes = {picture.shape for picture in flat}
    if len(shapes) != 1:
        rows = [PictureRows([window], pictures.with_time) for window in pictures.windows]
        return [_batch_of_pictures(row, memory, depth=depth, keep_uint8=keep_uint8)[0] for row in rows]
    ((height, width, channels),) = shapes
    as_bytes = keep_uint8 and not depth and flat[0].dtype == np.uint8
    time = (len(pictures.windows[0]),) if pictures.with_time else ()
    size = (len(pictures.windows), *time, channels, height, width)
    batch = memory.empty(size, torch.uint8 if as_bytes else torch.float32)
    write_pictures(flat, batch.view(-1, channels, height, width), depth=depth)
    return batch.unbind()


def write_pictures(pictures: Sequence[NDArray[Any]], target: torch.Tensor, *, depth: bool) -> None:
    """Write pictures `(H, W, C)` into a tensor.

    Args:
        pictures: N of them, of one size and type.
        target: `(N, C, H, W)`, `uint8` as they are, or `float32`: colours of one byte then become 0 to 1.
        depth: distances rather than colours.
    """
    scaled = target.dtype == torch.float32 and pictures[0].dtype == np.uint8 and not depth
    # A colour after the other first: that, and then dividing all, takes half the time of both at once.
    planes = torch.empty(target.shape[1:], dtype=torch.uint8) if scaled else target
    for picture, into in zip(pictures, target, strict=True):
        moved = (planes if scaled else into).numpy()
        for channel in range(moved.shape[0]):
            moved[channel] = picture[..., channel]
        if scaled:
            unit_range(planes, out=into)


def picture_tensor(picture: NDArray[Any], *, depth: bool) -> torch.Tensor:
    """A picture `(H, W, C)` as `(C, H, W)` `float32`, colours in [0, 1]."""
    height, width, channels = picture.shape
    tensor = torch.empty(1, channels, height, width)
    write_pictures([picture], tensor, depth=depth)
    return tensor[0]
