"""From the columns of a dataset to the inputs and outputs of a policy; real datasets and a real checkpoint."""

import json
from pathlib import Path

import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import FeatureType, PolicyFeature, check_provided, features_of_dataset

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_the_features_of_a_real_dataset() -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    info = json.loads((DATA / "cr5_v30_5ep_official" / "meta" / "info.json").read_text())
    features = features_of_dataset(info["features"])
    cameras = {key: each["shape"] for key, each in info["features"].items() if each["dtype"] == "video"}
    assert cameras
    for key, (height, width, channels) in cameras.items():
        assert features[key] == PolicyFeature(type=FeatureType.VISUAL, shape=(channels, height, width))
    assert features["action"].type is FeatureType.ACTION
    assert features["observation.state"].type is FeatureType.STATE
    assert "timestamp" not in features


@pytest.mark.parametrize(
    ("key", "dtype", "shape", "names", "expected"),
    [
        ("observation.environment_state", "float32", [4], None, ("ENV", (4,))),
        ("observation.effort", "float32", [4], None, ("STATE", (4,))),
        ("action.arm", "float32", [3], None, ("ACTION", (3,))),
        ("observation.images.a", "image", [4, 5, 3], ["height", "width", "channel"], ("VISUAL", (3, 4, 5))),
        ("observation.images.a", "video", [3, 4, 5], ["channels", "height", "width"], ("VISUAL", (3, 4, 5))),
        ("next.reward", "float32", [1], None, None),
    ],
)
def test_the_kind_follows_from_key_and_type(
    key: str, dtype: str, shape: list[int], names: object, expected: object
) -> None:
    features = features_of_dataset({key: {"dtype": dtype, "shape": shape, "names": names}})
    wanted = {} if expected is None else {key: PolicyFeature(type=expected[0], shape=expected[1])}  # type: ignore[index]
    assert features == wanted


def test_an_image_has_three_axes() -> None:
    with pytest.raises(FeatureMismatchError, match=r"'observation\.image' has the shape \(4, 5\)"):
        features_of_dataset({"observation.image": {"dtype": "image", "shape": [4, 5], "names": None}})


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    needed = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
        "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 5)),
    }
    provided = {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(2,))}
    with pytest.raises(FeatureMismatchError) as caught:
        check_provided(needed, provided, "the dataset")
    assert caught.value.keys == ("observation.state", "observation.images.top")


def test_a_policy_that_resizes_takes_images_of_any_size_but_not_of_other_channels() -> None:
    needed = {"observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 5))}
    check_provided(
        needed, {"observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 9, 9))}, "x", resized=True
    )
    depth = {"observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(1, 4, 5))}
    with pytest.raises(FeatureMismatchError):
        check_provided(needed, depth, "x", resized=True)
