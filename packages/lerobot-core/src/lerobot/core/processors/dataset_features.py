"""From what hardware gives to what a dataset stores: feature declarations and frames.

Source: the feature schema of LeRobotDataset v3.0 (`meta/info.json`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec, as_features

DatasetFeatures = dict[str, dict[str, Any]]
"""Per dataset key `dtype`, `shape`, `names` and, for pictures, `info`."""

IMAGE, IMAGES = "observation.image", "observation.images."
"""Columns of pictures: of the only one of an environment, and of a camera by its name."""

ENVIRONMENT_STATE = "environment_state."
"""What the names of numbers begin with that tell of the world, not of the robot; they have a column of their own."""

_PREFIXES = ("action.", "observation.state.", "state.", "observation.images.", "images.")


class TransformsFeatures(Protocol):
    """What is needed of a pipeline here."""

    def transform_features(self, initial_features: Mapping[str, Mapping[str, Any]]) -> PipelineFeatures:
        """See `DataProcessorPipeline.transform_features`."""
        ...


def create_initial_features(
    action: Mapping[str, Any] | None = None, observation: Mapping[str, Any] | None = None
) -> PipelineFeatures:
    """Normalise what a robot or teleoperator declares.

    Args:
        action: `action_features`; None if there are none.
        observation: `observation_features`; None if there are none.

    Returns:
        Full specifications under `"action"` and `"observation"`.

    Raises:
        FeatureMismatchError: a declaration is not understood; names the key.
    """
    return {"action": as_features(action or {}), "observation": as_features(observation or {})}


def aggregate_pipeline_dataset_features(
    pipeline: TransformsFeatures,
    initial_features: Mapping[str, Mapping[str, FeatureSpec]],
    *,
    use_videos: bool = True,
    depth_videos: bool = True,
    exclude_images: bool = False,
    patterns: Sequence[str] | None = None,
) -> DatasetFeatures:
    """Say what a dataset stores of what comes out of a pipeline.

    Args:
        pipeline: transforms the features first.
        initial_features: see `create_initial_features`.
        use_videos: store pictures as video; otherwise as single images.
        depth_videos: store depth as video too, which rounds distances; otherwise as single images, which are exact.
        exclude_images: store no pictures.
        patterns: regular expressions; numbers whose key matches none are left out. None keeps all.

    Returns:
        `action` and `observation.state` as float32 vectors with one name per element, pictures as
        `observation.images.<camera>` `(H, W, C)`; a picture with C = 1 is a depth map. Numbers of the world stand in
        `observation.environment_state`, and a picture that is called `observation.image` keeps its name.

    Raises:
        FeatureMismatchError: a key is no number, vector with names, or picture with 1 or 3 channels.
    """
    features = pipeline.transform_features(initial_features)
    kept: dict[str, dict[str, FeatureSpec]] = {"action": {}, "observation": {}}
    for entry, specs in kept.items():
        for key, spec in features[entry].items():
            if not _is_kept(entry, key, spec, exclude_images=exclude_images, patterns=patterns):
                continue
            if _short(key) in specs:
                raise FeatureMismatchError(
                    f"two features of the {entry} would be stored as {_short(key)!r}", keys=[key]
                )
            specs[_short(key)] = spec
    pictures = {key: spec for key, spec in kept["observation"].items() if spec.is_image}
    numbers = [name for key, spec in kept["observation"].items() if key not in pictures for name in _names(key, spec)]
    actions = [name for key, spec in kept["action"].items() for name in _names(key, spec)]
    dataset: DatasetFeatures = {}
    if actions:
        dataset["action"] = _vector(actions)
    world = [name for name in numbers if name.startswith(ENVIRONMENT_STATE)]
    if len(world) < len(numbers):
        dataset["observation.state"] = _vector([name for name in numbers if name not in world])
    if world:
        dataset["observation.environment_state"] = _vector(world)
    for key, spec in pictures.items():
        is_video = use_videos and (depth_videos or spec.shape[2] != 1)
        dataset[picture_column(key)] = _picture(key, spec, "video" if is_video else "image")
    return dataset


def picture_column(name: str) -> str:
    """Where a dataset stores the pictures that an observation has under a name."""
    return name if name == IMAGE else f"{IMAGES}{name}"


def picture_name(column: str) -> str:
    """The reverse of `picture_column`."""
    return column.removeprefix(IMAGES)


def _is_kept(entry: str, key: str, spec: FeatureSpec, *, exclude_images: bool, patterns: Sequence[str] | None) -> bool:
    if entry == "observation" and spec.is_image:
        return not exclude_images
    return patterns is None or any(re.search(pattern, key) for pattern in patterns)


def _short(key: str) -> str:
    """Key without the prefix a dataset gives it."""
    for prefix in _PREFIXES:
        if key.startswith(prefix):
            return key.removeprefix(prefix)
    return key


def _names(key: str, spec: FeatureSpec) -> list[str]:
    """Names of the numbers a feature adds to a vector."""
    if spec.is_scalar and spec.dtype != "string":
        return [key]
    if len(spec.shape) == 1 and spec.names and len(spec.names) == spec.shape[0]:
        return list(spec.names)
    raise FeatureMismatchError(
        f"feature {key!r} ({spec.dtype}, shape {spec.shape}) cannot be stored",
        keys=[key],
        expected="a number, a vector with one name per element, or a picture (height, width, channels)",
        hint="Leave it out with a select_keys_processor, or with `patterns`.",
    )


def _vector(names: list[str]) -> dict[str, Any]:
    return {"dtype": "float32", "shape": (len(names),), "names": names}


def _picture(key: str, spec: FeatureSpec, dtype: str) -> dict[str, Any]:
    if "/" in key:
        raise FeatureMismatchError(f"camera name {key!r} contains '/'", keys=[key], expected="a name without '/'")
    if spec.shape[2] not in {1, 3}:
        raise FeatureMismatchError(
            f"camera {key!r} has shape {spec.shape}",
            keys=[key],
            expected="(height, width, channels) with 3 channels (colour) or 1 (depth)",
        )
    return {
        "dtype": dtype,
        "shape": spec.shape,
        "names": ["height", "width", "channels"],
        "info": {"is_depth_map": spec.shape[2] == 1},
    }


def combine_feature_dicts(*dicts: Mapping[str, dict[str, Any]]) -> DatasetFeatures:
    """Merge dataset features.

    Vectors of one key are joined by their names, without repeats and in order; of anything else the last one counts.

    Raises:
        FeatureMismatchError: two vectors of one key differ in dtype.
    """
    combined: DatasetFeatures = {}
    for features in dicts:
        for key, feature in features.items():
            before = combined.get(key)
            if before is None or not (_is_vector(before) and _is_vector(feature)):
                combined[key] = dict(feature)
                continue
            if before["dtype"] != feature["dtype"]:
                raise FeatureMismatchError(
                    f"{key!r} is {before['dtype']} and {feature['dtype']}", keys=[key], expected="one dtype"
                )
            names = list(dict.fromkeys([*before["names"], *feature["names"]]))
            combined[key] = {**before, "names": names, "shape": (len(names),)}
    return combined


def _is_vector(feature: Mapping[str, Any]) -> bool:
    numeric = feature.get("dtype") not in {"image", "video", "string"}
    return numeric and len(feature.get("shape", ())) == 1 and bool(feature.get("names"))


def build_dataset_frame(
    features: Mapping[str, dict[str, Any]], values: Mapping[str, Any], prefix: str
) -> dict[str, Any]:
    """Collect one row of a dataset.

    Args:
        features: the dataset's features.
        values: an observation or robot action; pictures under their camera's name.
        prefix: `"observation"` or `"action"`: which features to fill.

    Returns:
        By dataset key a float32 vector `(n,)` in the order of `names`, or the picture as it is.

    Raises:
        FeatureMismatchError: values are missing; names them.
    """
    import numpy as np

    frame: dict[str, Any] = {}
    missing: list[str] = []
    for key, feature in features.items():
        if key != prefix and not key.startswith(f"{prefix}."):
            continue
        if feature["dtype"] in {"image", "video"}:
            camera = picture_name(key)
            if camera in values:
                frame[key] = values[camera]
            else:
                missing.append(camera)
        elif feature["dtype"] == "float32" and len(feature["shape"]) == 1:
            absent = [name for name in feature["names"] if name not in values]
            missing += absent
            if not absent:
                frame[key] = np.array([values[name] for name in feature["names"]], dtype=np.float32)
    if missing:
        raise FeatureMismatchError(
            f"the {prefix} has no {', '.join(map(repr, missing))}", keys=missing, expected="a value per dataset feature"
        )
    return frame
