"""Feature declarations in long and short form."""

import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.types import FeatureSpec, Observation, Stamp, as_features


def test_the_short_form_of_plugin_authors_is_understood() -> None:
    features = as_features({"a.pos": float, "n": int, "on": bool, "task": str, "cam": (480, 640, 3), "z": (4, 5, 1)})
    assert features["a.pos"] == FeatureSpec("float32")
    assert [features[key].dtype for key in ("n", "on", "task")] == ["int64", "bool", "string"]
    assert features["cam"].dtype == "uint8"
    assert features["cam"].is_image
    assert features["z"].dtype == "uint16"
    assert list(features) == ["a.pos", "n", "on", "task", "cam", "z"]


def test_full_specifications_pass_unchanged() -> None:
    spec = FeatureSpec(unit="deg", range=(-100, 100), max_velocity=180)
    assert as_features({"j.pos": spec})["j.pos"] is spec
    assert spec.is_scalar
    assert not spec.is_image


@pytest.mark.parametrize("value", [(480, 640), None, "float32", list, (1, 2, 3, 4)])
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(FeatureMismatchError, match="'front'") as raised:
        as_features({"front": value})
    assert raised.value.keys == ("front",)


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(FeatureMismatchError, match="empty"):
        FeatureSpec(range=(1, -1))


def test_an_observation_is_a_dict_with_stamps() -> None:
    observation = Observation({"a": 1.0}, {"a": Stamp(2.0, 3)})
    assert observation == {"a": 1.0}
    assert observation.stamps["a"].sequence == 3
    assert Observation().stamps == {}


@pytest.mark.parametrize("velocity", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_velocity_that_limits_nothing_is_refused(velocity: float) -> None:
    with pytest.raises(FeatureMismatchError, match="is no limit"):
        FeatureSpec(max_velocity=velocity)
