"""Keys move joints, and a joint that is blocked is not run away from."""

import pytest
from pydantic import ValidationError

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.terminal import KEYS
from lerobot.core.testing import ProcessorContract
from lerobot.core.types import FeatureSpec
from lerobot.keyboard.config import KeysToJointsConfig

NAMES = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
REST = {f"{name}.pos": float(10 * index) for index, name in enumerate(NAMES)}


def held(*keys: str) -> dict[str, bool]:
    return {key: key in keys for key in KEYS}


class TestContract(ProcessorContract):
    @pytest.fixture
    def config(self) -> KeysToJointsConfig:
        return KeysToJointsConfig(step=2.0)

    @pytest.fixture
    def transition(self) -> dict:
        return create_transition(dict(REST), held("1", "4"))


@pytest.mark.parametrize(
    ("keys", "moved"),
    [
        ((), {}),
        (("1",), {"shoulder_pan.pos": -1.0}),
        (("2", "4", "6", "8", "0", "o"), dict.fromkeys(REST, 1.0)),
        (("3", "5", "7", "9", "c"), dict.fromkeys(list(REST)[1:], -1.0)),
        (("1", "2"), {}),
        (("a", "up"), {}),
    ],
)
def test_two_keys_per_joint(keys, moved) -> None:
    step = build_step(KeysToJointsConfig())
    action = step(create_transition(dict(REST), held(*keys)))["action"]
    assert action == {key: value + moved.get(key, 0.0) for key, value in REST.items()}


def test_a_joint_goes_on_from_its_target_and_no_farther_than_its_lead() -> None:
    step = build_step(KeysToJointsConfig(step=2.0, lead=5.0))

    def pan(*keys: str, at: float) -> float:
        return step(create_transition({**REST, "shoulder_pan.pos": at}, held(*keys)))["action"]["shoulder_pan.pos"]

    assert [pan("2", at=0.0) for _ in range(4)] == [2.0, 4.0, 5.0, 5.0]
    assert pan(at=1.0) == 5.0, "let go, it stays where it was sent"
    assert pan("1", at=1.0) == 3.0
    assert pan(at=-9.0) == -4.0, "pushed away by hand, it follows"
    step.reset()
    assert pan(at=-9.0) == -9.0


def test_features_are_those_of_the_joints() -> None:
    step = build_step(KeysToJointsConfig(keys={"elbow_flex": ("page_down", "page_up")}))
    spec = FeatureSpec(unit="deg", range=(-90.0, 90.0))
    keys = dict.fromkeys(KEYS, FeatureSpec(dtype="bool"))
    features = step.transform_features({"action": keys, "observation": {"elbow_flex.pos": spec}})
    assert features["action"] == {"elbow_flex.pos": spec}
    with pytest.raises(FeatureMismatchError, match=r"observation has no 'elbow_flex\.pos'"):
        step.transform_features({"action": keys, "observation": {}})
    with pytest.raises(FeatureMismatchError, match="action has no 'page_down'"):
        step.transform_features({"action": {}, "observation": {"elbow_flex.pos": spec}})


@pytest.mark.parametrize(
    ("keys", "told"),
    [({"a": ("f99", "x")}, "'f99' is none"), ({"a": ("x", "y"), "b": ("y", "z")}, "'y' is there twice"), ({}, "1")],
)
def test_keys_that_cannot_be_are_refused(keys, told) -> None:
    with pytest.raises(ValidationError, match=told):
        KeysToJointsConfig(keys=keys)
