"""Items as torch tensors: the one module of this package that imports torch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.datasets.format.features import CAMERA_DTYPES, VIDEO, FeatureMap, is_depth
from lerobot.datasets.reading.reader import Columns


def to_tensors(
    columns: Columns,
    features: FeatureMap,
    *,
    return_uint8: bool = False,
    transforms: Callable[[Any], Any] | None = None,
) -> list[dict[str, Any]]:
    """Make items of a batch's arrays.

    Args:
        columns: as read by `FrameReader`.
        features: declarations of the dataset.
        return_uint8: leave colour video pictures as `uint8` in 0 .. 255; images stay float.
        transforms: applied to the pictures of each colour camera, last; one draw serves a whole window.

    Returns:
        One item per row. Numbers are tensors of their shape, scalars 0-dimensional; colour pictures `(C, H, W)` or
        `(T, C, H, W)` float32 in [0, 1]; depth `(1, H, W)` float32 in the dataset's depth unit; texts and annotations
        stay as they are.
    """
    made: dict[str, Sequence[Any]] = {}
    for key, values in columns.items():
        feature = features.get(key)
        if isinstance(values, np.ndarray):
            made[key] = torch.from_numpy(values).unbind()
        elif feature is not None and feature["dtype"] in CAMERA_DTYPES:
            depth, keep = is_depth(feature), return_uint8 and feature["dtype"] == VIDEO
            pictures = [picture_tensor(value, depth=depth, keep_uint8=keep) for value in values]
            made[key] = pictures if transforms is None or depth else [transforms(picture) for picture in pictures]
        else:
            made[key] = values
    return [dict(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]


def picture_tensor(value: NDArray[Any], *, depth: bool, keep_uint8: bool) -> torch.Tensor:
    """A picture `(..., H, W, C)` as tensor `(..., C, H, W)`, colours in [0, 1] unless they stay `uint8`."""
    tensor = torch.from_numpy(value).movedim(-1, -3)
    if keep_uint8 and not depth:
        return tensor.contiguous()
    picture = tensor.to(torch.float32, memory_format=torch.contiguous_format)
    return picture if depth or tensor.dtype != torch.uint8 else picture.div_(255)
