"""What a dataset stores of hardware features; expected schemas are those of LeRobotDataset v3.0."""

import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.config import RenameObservationsConfig, RobotToPolicyActionConfig
from lerobot.core.processors.dataset_features import (
    aggregate_pipeline_dataset_features,
    build_dataset_frame,
    combine_feature_dicts,
    create_initial_features,
)
from lerobot.core.types import FeatureSpec

MOTORS = {"shoulder.pos": float, "gripper.pos": float}
OBSERVATION = {**MOTORS, "front": (480, 640, 3), "depth": (4, 5, 1)}


def aggregate(action=None, observation=None, steps=(), **kwargs):
    return aggregate_pipeline_dataset_features(
        DataProcessorPipeline(steps), create_initial_features(action, observation), **kwargs
    )


def test_hardware_becomes_the_schema_of_a_dataset() -> None:
    names = ["shoulder.pos", "gripper.pos"]
    axes = ["height", "width", "channels"]
    assert aggregate(MOTORS, OBSERVATION) == {
        "action": {"dtype": "float32", "shape": (2,), "names": names},
        "observation.state": {"dtype": "float32", "shape": (2,), "names": names},
        "observation.images.front": {
            "dtype": "video",
            "shape": (480, 640, 3),
            "names": axes,
            "info": {"is_depth_map": False},
        },
        "observation.images.depth": {
            "dtype": "video",
            "shape": (4, 5, 1),
            "names": axes,
            "info": {"is_depth_map": True},
        },
    }
    assert aggregate() == {}


def test_options() -> None:
    assert aggregate(None, OBSERVATION, use_videos=False)["observation.images.front"]["dtype"] == "image"
    exact = aggregate(None, OBSERVATION, depth_videos=False)
    assert {key: each["dtype"] for key, each in exact.items() if "images" in key} == {
        "observation.images.front": "video",
        "observation.images.depth": "image",
    }
    assert list(aggregate(MOTORS, OBSERVATION, exclude_images=True)) == ["action", "observation.state"]
    filtered = aggregate(MOTORS, OBSERVATION, patterns=["^shoulder"])
    assert filtered["action"]["names"] == ["shoulder.pos"]
    assert "observation.images.front" in filtered


def test_prefixes_are_taken_off_after_the_pipeline_ran() -> None:
    renames = {"shoulder.pos": "observation.state.shoulder.pos", "front": "observation.images.top"}
    features = aggregate(None, OBSERVATION, [RenameObservationsConfig(rename_map=renames).build()])
    assert features["observation.state"]["names"] == ["shoulder.pos", "gripper.pos"]
    assert "observation.images.top" in features


def test_what_is_of_the_world_and_an_only_picture_have_the_columns_of_environments() -> None:
    world = {"environment_state.1": float, "environment_state.0": float}
    features = aggregate(None, {"hand": float, **world, "observation.image": (4, 5, 3), "image": (4, 5, 3)})
    assert features["observation.state"]["names"] == ["hand"]
    assert features["observation.environment_state"] == {"dtype": "float32", "shape": (2,), "names": list(world)}
    pictures = ["observation.image", "observation.images.image"]
    assert list(features)[2:] == pictures
    values = {"hand": 1.0, "environment_state.0": 2.0, "environment_state.1": 3.0, "observation.image": 4, "image": 5}
    frame = build_dataset_frame(features, values, "observation")
    assert frame["observation.environment_state"].tolist() == [3, 2]
    assert [frame[key] for key in pictures] == [4, 5]
    assert list(aggregate(None, world)) == ["observation.environment_state"]


def test_vectors_bring_their_names() -> None:
    steps = [RobotToPolicyActionConfig(motor_names=["gripper", "shoulder"]).build()]
    assert aggregate(MOTORS, None, steps)["action"]["names"] == ["gripper.pos", "shoulder.pos"]


@pytest.mark.parametrize(
    ("action", "observation", "key"),
    [
        (None, {"front": (4, 4, 2)}, "front"),
        (None, {"a/b": (4, 4, 3)}, "a/b"),
        (None, {"task": str}, "task"),
        (None, {"v": FeatureSpec(shape=(3,))}, "v"),
        ({"front": (4, 4, 3)}, None, "front"),
        ({"action.a": float, "a": float}, None, "a"),
    ],
)
def test_what_cannot_be_stored_is_named(action, observation, key) -> None:
    with pytest.raises(FeatureMismatchError) as raised:
        aggregate(action, observation)
    assert raised.value.keys == (key,)


def test_combining_joins_names() -> None:
    first = {"observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]}, "x": {"dtype": "video"}}
    second = {"observation.state": {"dtype": "float32", "shape": (2,), "names": ["b", "c"]}, "x": {"dtype": "image"}}
    assert combine_feature_dicts(first, second) == {
        "observation.state": {"dtype": "float32", "shape": (3,), "names": ["a", "b", "c"]},
        "x": {"dtype": "image"},
    }
    assert first["observation.state"]["names"] == ["a", "b"]
    second["observation.state"]["dtype"] = "int64"
    with pytest.raises(FeatureMismatchError, match="float32 and int64"):
        combine_feature_dicts(first, second)


def test_a_frame_follows_names_not_the_dict() -> None:
    features = aggregate(MOTORS, OBSERVATION)
    picture, depth = np.zeros((480, 640, 3), np.uint8), np.zeros((4, 5, 1), np.uint16)
    values = {"gripper.pos": 2.0, "depth": depth, "shoulder.pos": 1.0, "front": picture, "more": 3}
    frame = build_dataset_frame(features, values, "observation")
    assert list(frame) == ["observation.state", "observation.images.front", "observation.images.depth"]
    np.testing.assert_array_equal(frame["observation.state"], np.array([1, 2], np.float32), strict=True)
    assert frame["observation.images.front"] is picture
    action = build_dataset_frame(features, values, "action")
    assert list(action) == ["action"]
    with pytest.raises(FeatureMismatchError) as raised:
        build_dataset_frame(features, {"shoulder.pos": 1.0, "front": picture}, "observation")
    assert raised.value.keys == ("gripper.pos", "depth")
