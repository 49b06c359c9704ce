"""Depth in physical units: the inverse of the 12-bit codes of depth videos, and units of depth images."""

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.features import Feature

DepthUnit: TypeAlias = Literal["m", "mm"]
MM_PER_METRE = 1000.0
LARGEST_CODE = 4095
_DISTANCES = {"video.depth_min": 0.01, "video.depth_max": 10.0, "video.shift": 3.5}


def depth_table(info: Mapping[str, Any] | None, unit: DepthUnit) -> NDArray[np.float32]:
    """Distance of every code of a depth video.

    Args:
        info: the feature's `info`; absent entries have the format's defaults.
        unit: metres, or whole millimetres.

    Returns:
        (4096,) float32 distances in `unit`.

    Raises:
        DatasetError: the parameters describe no distances.
    """
    known = {key: value for key, value in (info or {}).items() if value is not None}
    near, far, shift = (float(known.get(key, default)) for key, default in _DISTANCES.items())
    use_log = bool(known.get("video.use_log", True))
    if not near < far or (use_log and near + shift <= 0):
        raise DatasetError(f"depth codes from {near} to {far} m with shift {shift} have no inverse")
    metres = np.arange(LARGEST_CODE + 1, dtype=np.float32)
    low, high = (math.log(near + shift), math.log(far + shift)) if use_log else (near, far)
    # Single precision throughout and the exponential rounded correctly: whole millimetres then equal those of the
    # format's other readers, metres within the last bit.
    metres *= np.float32((high - low) / LARGEST_CODE)
    metres += np.float32(low)
    if use_log:
        metres = np.exp(metres.astype(np.float64)).astype(np.float32)
        metres -= np.float32(shift)
    np.clip(metres, np.float32(near), np.float32(far), out=metres)
    if unit == "mm":
        metres *= np.float32(MM_PER_METRE)
        np.rint(metres, out=metres)
    return metres


def convert_image(image: NDArray[Any], feature: Feature, unit: DepthUnit) -> NDArray[np.float32]:
    """A depth image in the wanted unit; as it is, if its own unit was not recorded.

    Args:
        image: distances in the unit of the feature.
        feature: its declaration.
        unit: the wanted unit.
    """
    distances = image.astype(np.float32)
    stored = (feature.get("info") or {}).get("depth_unit")
    if stored is None or stored == unit:
        return distances
    return distances * np.float32(MM_PER_METRE) if stored == "m" else distances / np.float32(MM_PER_METRE)
