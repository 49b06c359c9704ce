"""Where commands come from, and whether two sides fit."""

import pytest

from lerobot.core.control import TeleoperatorSource, require_features
from lerobot.core.errors import DeviceConnectionError, FeatureMismatchError
from lerobot.core.types import FeatureSpec, Observation


class Leader:
    def __init__(self):
        self.felt = []

    def get_action(self):
        return {"joint.pos": 1.0}

    def send_feedback(self, feedback):
        self.felt.append(feedback)


def test_a_teleoperator_commands_and_feels_nothing_unless_asked():
    leader = Leader()
    assert TeleoperatorSource(leader).next_action(Observation({"joint.pos": 5.0}), 0) == {"joint.pos": 1.0}
    assert leader.felt == []
    TeleoperatorSource(leader, lambda seen: {"force": seen["joint.pos"]}).next_action(Observation({"joint.pos": 5}), 0)
    assert leader.felt == [{"force": 5}]


def check(given, needed):
    require_features(given, needed, giver="teleoperator black", taker="robot white")


def test_sides_that_fit_pass():
    check({"a": float, "b": FeatureSpec(unit="deg"), "more": float}, {"a": FeatureSpec(unit="deg"), "b": float})


def test_missing_keys_are_named():
    with pytest.raises(FeatureMismatchError, match="teleoperator black does not command b, c") as caught:
        check({"a": float}, {"a": float, "b": float, "c": float})
    assert caught.value.keys == ("b", "c")


def test_other_units_are_named():
    with pytest.raises(FeatureMismatchError, match=r"a in rad \(needs deg\)") as caught:
        check({"a": FeatureSpec(unit="rad")}, {"a": FeatureSpec(unit="deg")})
    assert caught.value.keys == ("a",)


def test_a_teleoperator_that_fails_is_named_with_its_role():
    class Lost:
        def __str__(self):
            return "so101_leader(black)"

        def get_action(self):
            raise DeviceConnectionError("Port '/dev/ttyACM1' was lost.", device="/dev/ttyACM1")

    with pytest.raises(DeviceConnectionError) as caught:
        TeleoperatorSource(Lost()).next_action(Observation({}), 0)
    assert str(caught.value) == "teleoperator so101_leader(black): Port '/dev/ttyACM1' was lost."
