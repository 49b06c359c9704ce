"""What a caller may hand over as one frame, checked and brought to the declared form before anything is stored."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import FeatureMismatchError
from lerobot.datasets.format.features import (
    CAMERA_DTYPES,
    INDEX_DTYPES,
    STRING,
    Feature,
    FeatureMap,
    camera_keys,
    image_size,
    is_depth,
)

FrameValue = npt.NDArray[Any] | str

LARGEST_INTEGER = 2**63 - 1
"""Readers give every whole number as int64."""


def check_cameras(features: FeatureMap) -> None:
    """Refuse cameras whose images cannot be stored as declared: the format has colour and depth, nothing else.

    Args:
        features: declarations, in one form.

    Raises:
        FeatureMismatchError: a camera has other channels than 3, or 1 and depth; names it.
    """
    for key in camera_keys(features):
        channels, depth = image_size(features[key])[2], is_depth(features[key])
        if channels == (1 if depth else 3):
            continue
        raise FeatureMismatchError(
            f"camera {key!r}{', a depth map,' if depth else ''} is declared with shape {features[key]['shape']}, "
            "which cannot be stored",
            keys=[key],
            expected="3 channels (colour), or 1 channel and info {'is_depth_map': True} (distances)",
            hint=_WAYS_OUT.get(channels, "the shape is (height, width, channels), unless names begin with 'channels'"),
        )


_WAYS_OUT = {
    1: "declare it a depth map if it holds distances, or repeat the grey image three times",
    2: "store the two as cameras of their own",
    3: "a depth map has one channel",
    4: "leave the fourth channel (alpha) out",
}


def check_frame(frame: Mapping[str, Any], features: FeatureMap) -> dict[str, FrameValue]:
    """One frame in its stored form, or a refusal that names every key at fault.

    Args:
        frame: per feature its value; numpy arrays, numbers, PIL images and torch tensors are taken.
        features: declarations of the dataset; the five default features must not be supplied.

    Returns:
        Arrays of the declared dtype and shape; images as (H, W, C), copied, so the caller may reuse its buffers.

    Raises:
        FeatureMismatchError: keys are missing or unknown, or a value has another dtype or shape or is not finite.
    """
    expected = features.keys() - INDEX_DTYPES.keys()
    if missing := sorted(expected - frame.keys()):
        raise FeatureMismatchError(
            f"the frame lacks {', '.join(missing)}", keys=missing, expected=", ".join(sorted(expected))
        )
    if extra := sorted(frame.keys() - expected):
        raise FeatureMismatchError(
            f"the frame has {', '.join(extra)}, which the dataset does not declare or fills itself",
            keys=extra,
            expected=", ".join(sorted(expected)),
        )
    return {key: check_value(key, frame[key], features[key]) for key in features if key in expected}


def check_value(key: str, value: Any, feature: Feature) -> FrameValue:
    """One value in its stored form; see `check_frame`."""
    if feature["dtype"] == STRING:
        if not isinstance(value, str):
            raise _mismatch(key, f"is {value!r}", "a text")
        return value
    if hasattr(value, "detach"):  # a torch tensor, recognised without importing torch
        value = value.detach().cpu().numpy()
    if feature["dtype"] in CAMERA_DTYPES:
        return _check_image(key, np.asarray(value), feature)
    return _check_numbers(key, value, feature)


def _check_numbers(key: str, value: Any, feature: Feature) -> npt.NDArray[Any]:
    dtype, shape = np.dtype(feature["dtype"]), feature["shape"]
    array = np.asarray(value)
    if isinstance(value, (bool, int, float)) and np.can_cast(array.dtype, dtype, "same_kind"):
        array = array.astype(dtype)
    if array.dtype != dtype:
        raise _mismatch(key, f"has dtype {array.dtype}", str(dtype))
    if array.shape != shape and not (array.shape == () and shape == (1,)):
        raise _mismatch(key, f"has shape {array.shape}", str(shape))
    _check_finite(key, array)
    if dtype == np.uint64 and array.max() > LARGEST_INTEGER:
        raise _mismatch(key, f"is {array.max()}", f"at most {LARGEST_INTEGER}, since frames hold int64")
    return array.reshape(shape).copy()


def _check_image(key: str, image: npt.NDArray[Any], feature: Feature) -> npt.NDArray[Any]:
    height, width, channels = image_size(feature)
    if image.shape == (height, width) and channels == 1:
        image = image[..., None]
    elif image.shape == (channels, height, width) != (height, width, channels):
        image = image.transpose(1, 2, 0)
    if image.shape != (height, width, channels):
        raise _mismatch(key, f"has shape {image.shape}", f"{(height, width, channels)} or channels first")
    _check_finite(key, image)
    if is_depth(feature):
        if image.dtype == np.float64:
            image = image.astype(np.float32)
        if image.dtype not in (np.uint16, np.float32):
            raise _mismatch(key, f"has dtype {image.dtype}", "uint16 millimetres or float32 metres")
    elif np.issubdtype(image.dtype, np.floating):
        if image.min() < 0 or image.max() > 1:
            raise _mismatch(key, f"has values from {image.min()} to {image.max()}", "0 to 1 for float images")
        image = np.rint(image * 255).astype(np.uint8)
    elif image.dtype != np.uint8:
        raise _mismatch(key, f"has dtype {image.dtype}", "uint8, or float in 0 to 1")
    return np.array(image, order="C")


def _check_finite(key: str, array: npt.NDArray[Any]) -> None:
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        place = tuple(int(axis[0]) for axis in np.nonzero(~np.isfinite(array)))
        raise _mismatch(key, f"is {array[place]} at {place}", "finite numbers")


def _mismatch(key: str, what: str, expected: str) -> FeatureMismatchError:
    return FeatureMismatchError(f"feature {key!r} {what}", keys=[key], expected=expected)
