"""The fake teleoperator: its motion against the formula, its sequence, events and feedback."""

import math

import pytest

from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.core.fake.teleoperator import FakeTeleoperator


class SteppedClock:
    time = 0.0

    def now(self) -> float:
        return self.time

    def sleep_until(self, deadline: float) -> None:
        self.time = max(self.time, deadline)


def connected(**fields: object) -> FakeTeleoperator:
    teleoperator = FakeTeleoperator(FakeTeleoperatorConfig.model_validate(fields), clock=SteppedClock())
    teleoperator.connect(calibrate=False)
    return teleoperator


def test_joints_swing_about_the_middle_of_their_range() -> None:
    teleoperator = connected(amplitude=0.5, period_s=4.0)
    first = teleoperator.get_action()
    assert first["shoulder_pan.pos"] == 0.0
    assert first["gripper.pos"] == 50.0
    teleoperator.clock.time = 1.0
    action = teleoperator.get_action()
    assert action["shoulder_pan.pos"] == pytest.approx(0.5 * 110.0)
    assert action["gripper.pos"] == pytest.approx(50 + 0.5 * 50 * math.sin(2 * math.pi / (4.0 * 1.5)))


def test_a_sequence_is_played_once_and_its_end_is_held() -> None:
    teleoperator = connected(sequence=[{"gripper.pos": 1.0}, {"gripper.pos": 2.0}])
    assert [teleoperator.get_action()["gripper.pos"] for _ in range(4)] == [1.0, 2.0, 2.0, 2.0]


def test_a_sequence_with_a_strange_joint_is_refused() -> None:
    with pytest.raises(FeatureMismatchError) as caught:
        connected(sequence=[{"tail.pos": 1.0}])
    assert caught.value.keys == ("tail.pos",)


def test_buttons_are_down_at_their_action_only() -> None:
    teleoperator = connected(events={1: ["success", "terminate_episode"]})
    down = []
    for _ in range(3):
        teleoperator.get_action()
        down.append({name for name, active in teleoperator.get_teleop_events().items() if active})
    assert down == [set(), {"success", "terminate_episode"}, set()]


def test_feedback_is_kept() -> None:
    teleoperator = connected()
    teleoperator.send_feedback({"gripper.pos": 3.0})
    assert list(teleoperator.feedback) == [{"gripper.pos": 3.0}]


def test_it_fails_as_configured() -> None:
    teleoperator = connected(fails_after=1)
    teleoperator.get_action()
    with pytest.raises(DeviceError, match="action 1"):
        teleoperator.get_action()
