"""Features as programs for huggingface/lerobot pass them between robot, dataset and policy."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.dataset_features import (
    DatasetFeatures,
    aggregate_pipeline_dataset_features,
    create_initial_features,
)
from lerobot.core.processors.robot import robot_observation_pipeline


class PipelineFeatureType(StrEnum):
    """The two entries of a transition that have features; equal to the keys of `PipelineFeatures`."""

    ACTION = "action"
    OBSERVATION = "observation"


def hw_to_dataset_features(hw_features: Mapping[str, Any], prefix: str, use_video: bool = True) -> DatasetFeatures:
    """Say what a dataset stores of a device.

    Args:
        hw_features: `action_features` or `observation_features`.
        prefix: `"action"` or `"observation"`.
        use_video: store pictures as video; otherwise as single images.

    Raises:
        FeatureMismatchError: another prefix, or a feature that cannot be stored.
    """
    if prefix not in set(PipelineFeatureType):
        raise FeatureMismatchError(f"prefix {prefix!r} is unknown", expected="action or observation")
    nothing = robot_observation_pipeline()
    features = create_initial_features(**{prefix: hw_features})
    return aggregate_pipeline_dataset_features(nothing, features, use_videos=use_video)
