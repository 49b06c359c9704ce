"""A leader arm and keys together."""

from typing import Any

import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.keyboard.config import KeyboardConfig, KeyboardRoverConfig
from lerobot.lekiwi.config import LeKiwiLeaderConfig
from lerobot.lekiwi.leader import LeKiwiLeader


@pytest.fixture
def leader(typist: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A leader whose arm stands still, and whose held keys are the test's."""
    arm = FakeTeleoperatorConfig(sequence=[{"shoulder_pan.pos": 5.0} | dict.fromkeys(JOINTS, 1.0)])
    leader: Any = LeKiwiLeader(LeKiwiLeaderConfig(arm=arm, keyboard=KeyboardConfig(backend="terminal")))
    leader.held = set()
    monkeypatch.setattr(leader._keyboard, "get_action", lambda: {key: key in leader.held for key in "wasdzxrfq"})
    with leader:
        yield leader


JOINTS = ("shoulder_lift.pos", "elbow_flex.pos", "wrist_flex.pos", "wrist_roll.pos", "gripper.pos")


def base(leader: Any, *held: str) -> tuple[float, float, float]:
    leader.held = set(held)
    action = leader.get_action()
    return action["x.vel"], action["y.vel"], action["theta.vel"]


def test_keys_drive_the_base_and_cancel_out(leader: Any) -> None:
    assert base(leader) == (0, 0, 0)
    assert base(leader, "w") == (0.1, 0, 0)
    assert base(leader, "w", "s", "d") == (0, -0.1, 0)
    assert base(leader, "s", "a", "z") == (-0.1, 0.1, 30)
    assert base(leader, "x") == (0, 0, -30)


def test_a_level_changes_once_per_press(leader: Any) -> None:
    for expected in (0.2, 0.2, 0.2):
        assert base(leader, "w", "r")[0] == expected
    base(leader)
    assert base(leader, "w", "r") == (0.3, 0, 0)
    base(leader)
    assert base(leader, "z", "r") == (0, 0, 90)
    for expected in (0.2, 0.1, 0.1):
        base(leader)
        assert base(leader, "w", "f")[0] == expected


def test_the_arm_is_that_of_the_leader(leader: Any) -> None:
    action = leader.get_action()
    assert list(action) == list(leader.action_features)
    assert action["arm_shoulder_pan.pos"] == 5.0
    leader.send_feedback({"arm_gripper.pos": 3.0, "x.vel": 1.0})
    assert leader._arm.feedback[-1] == {"gripper.pos": 3.0}


def test_what_is_no_keyboard_is_refused(typist: Any) -> None:
    with pytest.raises(FeatureMismatchError, match="gives no a, d, f, r, s, w, x, z, which a LeKiwi is led with"):
        LeKiwiLeader(LeKiwiLeaderConfig(arm=FakeTeleoperatorConfig(), keyboard=KeyboardRoverConfig(backend="terminal")))
