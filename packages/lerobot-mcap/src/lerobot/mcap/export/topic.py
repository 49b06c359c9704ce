"""From features to topics: which message a value of a feature becomes."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.format.extra_columns import capture_time_key
from lerobot.datasets.format.features import (
    CAMERA_DTYPES,
    INDEX_DTYPES,
    NUMERIC_DTYPES,
    STRING,
    Feature,
    FeatureMap,
    element_names,
    is_depth,
)
from lerobot.mcap.export.schema import header
from lerobot.mcap.ros_types import ARRAY, COMPRESSED_IMAGE, IMAGE, JOINT_STATE, TEXT
from lerobot.mcap.stamps import is_stamp

Images = Literal["png", "jpeg", "raw"]

OUTCOME = "outcome"
"""Column with how an episode went, which the event that ends it says."""

_JOINTS = {
    "observation.state": "position",
    "action": "position",
    "observation.velocity": "velocity",
    "observation.effort": "effort",
}
"""Field of a JointState by the feature that it holds."""

_JPEG_QUALITY = 95
_FARTHEST_MM = 2**16 - 1


@dataclass(frozen=True, slots=True)
class ExportedTopic:
    """What one feature becomes.

    Attributes:
        feature: the feature.
        name: the topic.
        type: type of its messages.
        message: from a value and its time, nanoseconds since 1970, to a message's fields.
    """

    feature: str
    name: str
    type: str
    message: Callable[[Any, int], dict[str, Any]]


def topics_of(features: FeatureMap, images: Images) -> list[ExportedTopic]:
    """The topics of a dataset; columns about its recording are none.

    Args:
        features: declarations of the dataset.
        images: what images become.
    """
    about = {*INDEX_DTYPES, OUTCOME, *map(capture_time_key, features)}
    return [
        topic
        for key, feature in features.items()
        if key not in about and not is_stamp(key) and (topic := _topic(key, feature, images)) is not None
    ]


def _topic(key: str, feature: Feature, images: Images) -> ExportedTopic | None:
    name = "/" + key.replace(".", "/")
    if feature["dtype"] in CAMERA_DTYPES:
        depth = is_depth(feature)
        if images == "raw":
            return ExportedTopic(key, name, IMAGE, _raw_depth if depth else _raw_colour)
        # JPEG has no 16 bits.
        save = _png_depth if depth else _png if images == "png" else _jpeg
        return ExportedTopic(key, f"{name}/compressed", COMPRESSED_IMAGE, save)
    if feature["dtype"] == STRING:
        return ExportedTopic(key, name, TEXT, lambda value, _stamp: {"data": value})
    if feature["dtype"] not in NUMERIC_DTYPES:
        return None
    if key in _JOINTS and len(feature["shape"]) == 1:
        return ExportedTopic(key, name, JOINT_STATE, _joints(element_names(feature), _JOINTS[key]))
    return ExportedTopic(key, name, ARRAY, _array)


def _joints(names: list[str], field: str) -> Callable[[Any, int], dict[str, Any]]:
    def message(value: NDArray[Any], stamp: int) -> dict[str, Any]:
        arrays: dict[str, Any] = {"position": (), "velocity": (), "effort": (), field: np.ravel(value)}
        return {"header": header(stamp), "name": names, **arrays}

    return message


def _array(value: NDArray[Any], _stamp: int) -> dict[str, Any]:
    array = np.asarray(value)
    strides = [int(np.prod(array.shape[axis:], dtype=np.int64)) for axis in range(array.ndim)]
    dims = [{"label": "", "size": size, "stride": stride} for size, stride in zip(array.shape, strides, strict=True)]
    return {"layout": {"dim": dims, "data_offset": 0}, "data": np.ravel(array)}


def _raw(image: NDArray[Any], stamp: int, encoding: str) -> dict[str, Any]:
    height, width = image.shape[:2]
    return {
        "header": header(stamp),
        "height": height,
        "width": width,
        "encoding": encoding,
        "is_bigendian": 0,
        "step": image.nbytes // height,
        "data": np.ascontiguousarray(image).tobytes(),
    }


def _raw_colour(image: NDArray[Any], stamp: int) -> dict[str, Any]:
    return _raw(image, stamp, "rgb8")


def _raw_depth(image: NDArray[Any], stamp: int) -> dict[str, Any]:
    return _raw(_millimetres(image), stamp, "16UC1")


def _compressed(image: NDArray[Any], stamp: int, form: str, kind: str, **options: Any) -> dict[str, Any]:
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, kind, **options)
    return {"header": header(stamp), "format": form, "data": buffer.getvalue()}


def _png(image: NDArray[Any], stamp: int) -> dict[str, Any]:
    return _compressed(image, stamp, "rgb8; png compressed bgr8", "PNG", compress_level=1)


def _jpeg(image: NDArray[Any], stamp: int) -> dict[str, Any]:
    return _compressed(image, stamp, "rgb8; jpeg compressed bgr8", "JPEG", quality=_JPEG_QUALITY)


def _png_depth(image: NDArray[Any], stamp: int) -> dict[str, Any]:
    return _compressed(_millimetres(image)[..., 0], stamp, "16UC1; png compressed", "PNG", compress_level=1)


def _millimetres(depth: NDArray[Any]) -> NDArray[np.uint16]:
    whole = np.rint(depth)
    if whole.min() < 0 or whole.max() > _FARTHEST_MM:
        raise DatasetError(f"depth is {whole.min():g} to {whole.max():g} mm", expected=f"0 to {_FARTHEST_MM}")
    millimetres: NDArray[np.uint16] = whole.astype(np.uint16)
    return millimetres
