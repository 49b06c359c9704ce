"""`lerobot info` tells a bug report what is installed, and programs what a robot takes."""

import json

import pytest

from lerobot.core.commands.info import InfoConfig
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.inspection.command import info
from lerobot.core.inspection.robot_limits import limit_text


def test_versions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    info(InfoConfig(format="json"))
    assert "lerobot-core" in json.dumps(json.loads(capsys.readouterr().out))


def test_a_robot_tells_what_it_takes_without_being_connected(capsys: pytest.CaptureFixture[str]) -> None:
    robot = FakeRobotConfig(connect_fails=True)
    info(InfoConfig(robot=robot, format="json"))
    limits = json.loads(capsys.readouterr().out)
    assert list(limits) == [
        f"{joint}.pos"
        for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
    ]
    assert limits["gripper.pos"]["kind"] == "position"
    assert (limits["gripper.pos"]["low"], limits["gripper.pos"]["high"]) == (0.0, 100.0)
    info(InfoConfig(robot=robot))
    assert "- gripper.pos: position 0 to 100" in capsys.readouterr().out


def test_what_is_not_limited_is_said() -> None:
    limit = {"kind": "position", "unit": None, "low": None, "high": None, "max_rate": 1.0}
    assert limit_text(limit) == "position of no known range, at most 1 a second"
