"""Items as torch tensors: the one module of this package that imports torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.datasets.format.features import VIDEO, FeatureMap, is_depth
from lerobot.datasets.reading.reader import ArrayItem


def to_tensors(
    item: ArrayItem,
    features: FeatureMap,
    *,
    return_uint8: bool = False,
    transforms: Callable[[Any], Any] | None = None,
) -> dict[str, Any]:
    """Make an item's arrays tensors.

    Args:
        item: as read by `FrameReader`.
        features: declarations of the dataset.
        return_uint8: leave colour video pictures as `uint8` in 0 .. 255; images stay float.
        transforms: applied to the pictures of each colour camera, last; one draw serves a whole window.

    Returns:
        Numbers as tensors of their shape, scalars 0-dimensional; colour pictures `(C, H, W)` or `(T, C, H, W)` float32
        in [0, 1]; depth `(1, H, W)` float32 in the dataset's depth unit; texts and annotations as they are.
    """
    made: dict[str, Any] = {}
    for key, value in item.items():
        feature = features.get(key)
        if isinstance(value, (np.ndarray, np.generic)) and feature is not None and feature["dtype"] in {"image", VIDEO}:
            keep = return_uint8 and feature["dtype"] == VIDEO
            picture = picture_tensor(np.asarray(value), depth=is_depth(feature), keep_uint8=keep)
            made[key] = transforms(picture) if transforms is not None and not is_depth(feature) else picture
        else:
            made[key] = torch.as_tensor(value) if isinstance(value, (np.ndarray, np.generic)) else value
    return made


def picture_tensor(value: NDArray[Any], *, depth: bool, keep_uint8: bool) -> torch.Tensor:
    """A picture `(..., H, W, C)` as tensor `(..., C, H, W)`, colours in [0, 1] unless they stay `uint8`."""
    tensor = torch.from_numpy(value).movedim(-1, -3)
    if depth:
        return tensor.to(torch.float32, memory_format=torch.contiguous_format)
    if keep_uint8 or tensor.dtype != torch.uint8:
        return tensor.contiguous()
    return tensor.to(torch.float32, memory_format=torch.contiguous_format).div_(255)
