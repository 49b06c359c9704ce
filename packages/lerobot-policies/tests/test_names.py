"""The renaming that is proposed for features with other names."""

from typing import Any

import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.names import check_names, renamed

VIDEO = {"dtype": "video", "shape": [4, 6, 3], "names": ["height", "width", "channels"]}


def vector(size: int) -> dict[str, Any]:
    return {"dtype": "float32", "shape": [size], "names": None}


OPENPI = {"image": VIDEO, "wrist_image": VIDEO, "state": vector(8), "actions": vector(7), "timestamp": vector(1)}
COLOUR = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 6))


def proposed(declared: dict[str, Any], needed: dict[str, Any], given: dict[str, str] | None = None) -> str:
    with pytest.raises(FeatureMismatchError) as refused:
        check_names(declared, needed, given or {}, "the dataset")
    return str(refused.value.hint).partition("--rename_map=")[2]


def test_a_new_policy_is_given_the_names_of_the_field() -> None:
    names = {"image": "observation.images.image", "wrist_image": "observation.images.wrist"}
    names |= {"actions": "action", "state": "observation.state"}
    assert proposed(OPENPI, {}) == "'{" + ", ".join(f"{old}: {new}" for old, new in names.items()) + "}'"
    check_names(OPENPI, {}, names, "the dataset")
    assert list(renamed(OPENPI, names)) == [*(names[key] for key in list(OPENPI)[:4]), "timestamp"]


def test_what_is_given_already_is_part_of_the_whole() -> None:
    given = {"wrist_image": "observation.images.hand", "image": "picture"}
    hint = proposed(OPENPI, {}, given)
    assert hint == (
        "'{wrist_image: observation.images.hand, image: observation.images.picture, actions: action, "
        "state: observation.state}'"
    )


def test_a_trained_policy_says_its_own_names() -> None:
    needed = {
        "observation.images.wrist": COLOUR,
        "observation.images.base": COLOUR,
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(8,)),
        "action": PolicyFeature(type=FeatureType.ACTION, shape=(7,)),
    }
    assert proposed(OPENPI, needed) == (
        "'{wrist_image: observation.images.wrist, image: observation.images.base, state: observation.state, "
        "actions: action}'"
    )


def test_names_that_are_right_or_that_nothing_helps_are_left_alone() -> None:
    known = {"observation.images.top": VIDEO, "observation.state": vector(8), "action": vector(7)}
    check_names(known, {}, {}, "the dataset")
    check_names(OPENPI, {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(9,))}, {}, "the dataset")


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(FeatureMismatchError, match=r"two features would be named observation\.state"):
        renamed({**OPENPI, "observation.state": vector(8)}, {"state": "observation.state"})
