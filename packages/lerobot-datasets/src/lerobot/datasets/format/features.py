"""Feature declarations of `info.json`: what each column or camera holds."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from lerobot.core.errors import FeatureMismatchError

Feature: TypeAlias = dict[str, Any]
"""One entry: `dtype`, `shape` (tuple), `names`, for cameras also `info`. Unknown keys are kept."""

FeatureMap: TypeAlias = dict[str, Feature]
"""Declared features in file order."""

NUMERIC_DTYPES: Final = frozenset(
    {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"}
)
_OTHER_NAMES: Final = {"float": "float32", "double": "float64"}
"""What the `datasets` library, and with it other writers, may call a dtype."""
IMAGE, VIDEO, STRING, LANGUAGE = "image", "video", "string", "language"
CAMERA_DTYPES: Final = frozenset({IMAGE, VIDEO})
MAX_DIMENSIONS: Final = 5

INDEX_DTYPES: Final = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
"""The features every dataset has; the writer fills them, users never do."""

ROW_NUMBERS: Final = ("frame_index", "episode_index", "index")
"""Those of them that follow from the lengths of the episodes."""


def default_features() -> FeatureMap:
    """Declarations of the five features every dataset has, in file order."""
    return {key: {"dtype": dtype, "shape": (1,), "names": None} for key, dtype in INDEX_DTYPES.items()}


def normalize_features(declared: Mapping[str, Any]) -> FeatureMap:
    """Check feature declarations and give them one form.

    Args:
        declared: as in `info.json` or as a user passes them to `create`; `shape` may be a list or an int.

    Returns:
        A copy with `shape` as tuple, `names` always present, and `info` where only `video_info` was.

    Raises:
        FeatureMismatchError: names the feature and what is wrong with it.
    """
    return {key: _normalize_feature(key, feature) for key, feature in declared.items()}


def _normalize_feature(key: str, declared: Any) -> Feature:
    if "/" in key or not key:
        raise _error(key, f"feature name {key!r} cannot be used", "a name without '/'")
    if not isinstance(declared, Mapping) or "dtype" not in declared or "shape" not in declared:
        raise _error(key, f"feature {key!r} is declared as {declared!r}", "a mapping with dtype and shape")
    feature = dict(declared)
    feature["dtype"] = _OTHER_NAMES.get(str(feature["dtype"]), feature["dtype"])
    dtype, shape = feature["dtype"], feature["shape"]
    shape = (shape,) if isinstance(shape, int) and not isinstance(shape, bool) else shape
    if not isinstance(shape, (list, tuple)) or not all(isinstance(n, int) and n > 0 for n in shape):
        raise _error(key, f"feature {key!r} has shape {shape!r}", "a list of positive integers")
    if dtype not in NUMERIC_DTYPES | CAMERA_DTYPES | {STRING, LANGUAGE}:
        expected = "a numpy number type, 'image', 'video', 'string' or 'language'"
        raise _error(key, f"feature {key!r} has dtype {dtype!r}", expected)
    if dtype in CAMERA_DTYPES and len(shape) != 3:
        raise _error(key, f"camera feature {key!r} has shape {tuple(shape)}", "(height, width, channels)")
    if len(shape) > MAX_DIMENSIONS:
        raise _error(key, f"feature {key!r} has {len(shape)} dimensions", f"at most {MAX_DIMENSIONS}")
    feature["shape"] = tuple(shape)
    feature.setdefault("names", None)
    if dtype in CAMERA_DTYPES and "info" not in feature and feature.get("video_info"):
        feature["info"] = dict(feature["video_info"])
    return feature


def _error(key: str, what: str, expected: str) -> FeatureMismatchError:
    return FeatureMismatchError(what, keys=[key], expected=expected)


def is_depth(feature: Feature) -> bool:
    """Whether a camera feature holds distances, in any of the spellings found in real datasets."""
    info, legacy = feature.get("info") or {}, feature.get("video_info") or {}
    return bool(info.get("is_depth_map") or info.get("video.is_depth_map") or legacy.get("video.is_depth_map"))


def camera_keys(features: FeatureMap) -> list[str]:
    """Features that are images, however they are stored."""
    return [key for key, feature in features.items() if feature["dtype"] in CAMERA_DTYPES]


def video_keys(features: FeatureMap) -> list[str]:
    """Features stored as video files."""
    return [key for key, feature in features.items() if feature["dtype"] == VIDEO]


def image_keys(features: FeatureMap) -> list[str]:
    """Features stored as one encoded image per row."""
    return [key for key, feature in features.items() if feature["dtype"] == IMAGE]


def depth_keys(features: FeatureMap) -> list[str]:
    """Camera features that hold distances."""
    return [key for key in camera_keys(features) if is_depth(features[key])]


def image_size(feature: Feature) -> tuple[int, int, int]:
    """Height, width and channels of a camera feature, whichever way round its shape is declared."""
    shape: tuple[int, int, int] = feature["shape"]
    names = feature.get("names")
    if isinstance(names, (list, tuple)) and names and str(names[0]).startswith("channel"):
        channels, height, width = shape
        return height, width, channels
    return shape


def element_names(feature: Feature) -> list[str]:
    """A name per element of a vector; its number where it has none."""
    names, size = feature.get("names"), int(feature["shape"][0])
    if isinstance(names, dict) and len(names) == 1:
        names = next(iter(names.values()))
    if isinstance(names, list | tuple) and len(names) == size:
        return [str(name) for name in names]
    return [str(number) for number in range(size)]
