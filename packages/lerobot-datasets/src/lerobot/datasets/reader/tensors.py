"""Items as torch tensors; with `memory`, `items` and `hugging_face` the modules of this package that import torch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.images import unit_range
from lerobot.datasets.format.features import VIDEO, FeatureMap, is_depth
from lerobot.datasets.reader.images import ImageRows
from lerobot.datasets.reader.items import FrameItem
from lerobot.datasets.reader.memory import ImageMemory
from lerobot.datasets.reader.reader import Columns


def to_tensors(
    columns: Columns,
    features: FeatureMap,
    *,
    return_uint8: bool = False,
    transforms: Callable[[Any], Any] | None = None,
    memory: ImageMemory | None = None,
) -> list[dict[str, Any]]:
    """Make items of a batch's arrays.

    Args:
        columns: as read by `FrameReader`; emptied, so that images are held once and not twice.
        features: declarations of the dataset.
        return_uint8: leave colour images of video as `uint8` in 0 .. 255; those stored one by one stay float.
        transforms: applied to the images of each colour camera, last; one draw serves a whole window.
        memory: where images are put; fresh memory if None.

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
        elif isinstance(values, ImageRows):
            depth, keep = is_depth(features[key]), return_uint8 and features[key]["dtype"] == VIDEO
            images = _batch_of_images(values, memory or ImageMemory(1), depth=depth, keep_uint8=keep)
            made[key] = images if transforms is None or depth else [transforms(image) for image in images]
        else:
            made[key] = values
    return [FrameItem(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]


def _batch_of_images(
    images: ImageRows, memory: ImageMemory, *, depth: bool, keep_uint8: bool
) -> Sequence[torch.Tensor]:
    """The images of each row, side by side in one tensor if they are of one size."""
    flat = [image for window in images.windows for image in window]
    shapes = {image.shape for image in flat}
    if len(shapes) != 1:
        rows = [ImageRows([window], images.with_time) for window in images.windows]
        return [_batch_of_images(row, memory, depth=depth, keep_uint8=keep_uint8)[0] for row in rows]
    ((height, width, channels),) = shapes
    as_bytes = keep_uint8 and not depth and flat[0].dtype == np.uint8
    time = (len(images.windows[0]),) if images.with_time else ()
    size = (len(images.windows), *time, channels, height, width)
    batch = memory.empty(size, torch.uint8 if as_bytes else torch.float32)
    write_images(flat, batch.view(-1, channels, height, width), depth=depth)
    return batch.unbind()


def write_images(images: Sequence[NDArray[Any]], target: torch.Tensor, *, depth: bool) -> None:
    """Write images `(H, W, C)` into a tensor.

    Args:
        images: N of them, of one size and type.
        target: `(N, C, H, W)`, `uint8` as they are, or `float32`: colours of one byte then become 0 to 1.
        depth: distances rather than colours.
    """
    scaled = target.dtype == torch.float32 and images[0].dtype == np.uint8 and not depth
    # A colour after the other first: that, and then dividing all, takes half the time of both at once.
    planes = torch.empty(target.shape[1:], dtype=torch.uint8) if scaled else target
    for image, into in zip(images, target, strict=True):
        moved = (planes if scaled else into).numpy()
        for channel in range(moved.shape[0]):
            moved[channel] = image[..., channel]
        if scaled:
            unit_range(planes, out=into)


def image_tensor(image: NDArray[Any], *, depth: bool) -> torch.Tensor:
    """An image `(H, W, C)` as `(C, H, W)` `float32`, colours in [0, 1]."""
    height, width, channels = image.shape
    tensor = torch.empty(1, channels, height, width)
    write_images([image], tensor, depth=depth)
    return tensor[0]
