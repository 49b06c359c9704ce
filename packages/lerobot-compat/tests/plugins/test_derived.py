"""Configurations of ours that others derive theirs from: called they are models, derived from they are dataclasses."""

import dataclasses
from importlib import import_module
from types import SimpleNamespace

import pytest

from lerobot.compat.gated import gated
from lerobot.compat.plugins.robot import AdaptedRobot
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate
from lerobot.core.types import Action

pytest.importorskip("lerobot.so100")


def test_what_derives_from_a_mixin_of_ours_is_a_dataclass_with_its_fields() -> None:
    from lerobot.robots.config import RobotConfig
    from lerobot.robots.so_follower import SOFollowerConfig

    @RobotConfig.register_subclass("toasting_arm")
    @dataclasses.dataclass
    class ToastingArmConfig(RobotConfig, SOFollowerConfig):
        crumbs: int = 3

    made = ToastingArmConfig(port="/dev/x", id="left")
    assert (made.port, made.id, made.crumbs, made.use_degrees, made.cameras) == ("/dev/x", "left", 3, True, {})
    assert isinstance(made, SOFollowerConfig)
    assert made.type == "toasting_arm"
    with pytest.raises(TypeError, match="port"):
        ToastingArmConfig()


def test_what_derives_from_a_whole_configuration_of_ours_is_a_robots_too() -> None:
    from lerobot.robots import RobotConfig
    from lerobot.robots.bi_so_follower import BiSOFollowerConfig

    @dataclasses.dataclass
    class PairConfig(BiSOFollowerConfig):
        controller: str = "auto"

    assert issubclass(PairConfig, RobotConfig)
    assert {field.name for field in dataclasses.fields(PairConfig)} >= {"left_arm_config", "id", "controller"}


def test_called_it_is_the_model_that_our_robots_are_made_of() -> None:
    handed_on = import_module("lerobot.robots.so_follower").SO101FollowerConfig
    assert handed_on(port="/dev/x").target == "lerobot.so100.follower:SOFollower"
    family = import_module("lerobot.robots.so_follower").SOFollowerConfig
    assert isinstance(handed_on(port="/dev/x"), family)


def test_a_robot_that_derives_from_one_of_ours_passes_one_gate_and_ends_in_its_safe_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command gates it; the gate that programs get with the class would be a second one."""
    passed: list[str] = []

    class Bent(gated(FakeRobot)):
        name = "bent"

        def send_action(self, action: Action) -> Action:
            passed.append("plugin")
            return super().send_action(action)

    robot = AdaptedRobot(SimpleNamespace(type="bent", id=None, units=None), Bent(FakeRobotConfig()))
    limits = SafetyConfig(max_velocity=1e6, ramp_s=0)
    monkeypatch.setattr(SafetyGate, "check", lambda self, action, *_, **__: passed.append("gate") or dict(action))
    with GatedRobot.connected(robot, limits) as driven:
        start = driven.observe()
        key = next(iter(robot.action_features))
        assert driven.send({**{each: start[each] for each in robot.action_features}, key: 40.0}).sent[key] == 40.0
        assert passed[:2] == ["gate", "plugin"]
        assert passed.count("gate") == 1
        reached = []
        monkeypatch.setattr(robot.device, "enter_safe_state", lambda: reached.append("safe"))
    assert reached == ["safe"]
    assert robot.safe_state == FakeRobot.safe_state
    assert not robot.is_connected
