"""Depth as the 12-bit codes that the format stores in depth videos."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from lerobot.datasets.video.encoder_config import DepthEncoderConfig

LARGEST_CODE = 4095


def depth_unit(dtype: npt.DTypeLike) -> Literal["m", "mm"]:
    """The unit of raw depth: metres where it is floating-point, millimetres where it is an integer."""
    return "m" if np.issubdtype(np.dtype(dtype), np.floating) else "mm"


def quantize_depth(depth: npt.NDArray[np.generic], config: DepthEncoderConfig) -> npt.NDArray[np.uint16]:
    """Codes of a depth image.

    Args:
        depth: (H, W) float metres or integer millimetres; values outside the configured range get the nearest code.
        config: range and law of the codes.

    Returns:
        (H, W) uint16 in 0 .. 4095.
    """
    scale = 1.0 if depth_unit(depth.dtype) == "m" else 1000.0
    low, high, shift = (np.float32(value * scale) for value in (config.depth_min, config.depth_max, config.shift))
    values = depth.astype(np.float32)
    if config.use_log:
        # Below the range the logarithm may not exist, and the code is the smallest anyway.
        values, low, high = np.log(np.maximum(values, low) + shift), np.log(low + shift), np.log(high + shift)
    share = (values - low) / (high - low)
    codes: npt.NDArray[np.uint16] = np.clip(np.rint(share * LARGEST_CODE), 0, LARGEST_CODE).astype(np.uint16)
    return codes
