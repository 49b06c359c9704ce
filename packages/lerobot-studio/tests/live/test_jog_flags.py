"""What a page needs to move a robot is asked of the robot."""

import json
from typing import Any

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.studio.answer import Answer
from lerobot.studio.live import jog_flags as module
from lerobot.studio.live.jog_flags import jog_flags

LEKIWI = {
    "gripper.pos": {"kind": "position", "unit": "percent", "low": 0.0, "high": 100.0, "max_rate": 200.0},
    "x.vel": {"kind": "velocity", "unit": "m/s", "low": -0.3, "high": 0.3, "max_rate": 0.6},
    "light": {"kind": "switch", "unit": None, "low": 0.0, "high": 1.0, "max_rate": None},
}


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Decide what the robot says."""
    asked: list[tuple[str, ...]] = []

    def saying(value: Any, code: int = 0, complaint: str = "") -> list[tuple[str, ...]]:
        def ask(*words: str) -> Answer:
            asked.append(words)
            return Answer("lerobot info", code, json.dumps(value), complaint)

        monkeypatch.setattr(module, "ask", ask)
        return asked

    return saying


def test_positions_and_velocities_become_keys_and_a_step(say: Any) -> None:
    asked = say(LEKIWI)
    keys, step = jog_flags(["--robot.type=lekiwi", "--robot.id=a", "--teleop.type=browser", "--fps=30"])
    assert asked == [("info", "--format=json", "--robot.type=lekiwi", "--robot.id=a")]
    assert json.loads(keys.removeprefix("--teleop.keys=")) == ["gripper.pos", "x.vel"]
    assert json.loads(step.removeprefix("--processors.teleop=")) == [
        {"type": "jog_to_joints", "positions": {"gripper.pos": [0.0, 100.0]}, "velocities": {"x.vel": 0.3}}
    ]


@pytest.mark.parametrize("more", ["--teleop.type=keyboard", "--teleop.keys=[a]", "--processors.teleop=[]"])
def test_a_person_who_chose_otherwise_is_left_alone(say: Any, more: str) -> None:
    asked = say(LEKIWI)
    first = "--teleop.type=fake" if "type" in more else "--teleop.type=browser"
    assert jog_flags(["--robot.type=lekiwi", first, more]) == []
    assert not asked


def test_a_robot_that_cannot_be_asked_or_moved_is_named(say: Any) -> None:
    say(None, 2, "error: --robot.port: expected a value")
    with pytest.raises(LeRobotError, match=r"^--robot\.port: expected a value$"):
        jog_flags(["--robot.type=so101_follower", "--teleop.type=browser"])
    say({"a.pos": {"kind": "position", "unit": None, "low": None, "high": None, "max_rate": 1.0}})
    with pytest.raises(LeRobotError, match=r"how far a\.pos may go"):
        jog_flags(["--robot.type=other", "--teleop.type=browser"])
