"""Configurations of ours that others derive theirs from: called they are models, derived from they are dataclasses."""

import dataclasses
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from lerobot.compat.gated import gated
from lerobot.compat.plugins.robot import AdaptedRobot
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate
from lerobot.core.types import Action
from lerobot.feetech.bus import FeetechMotorsBus
from lerobot.motors import MotorCalibration, save_calibration

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


def test_an_arm_that_derives_from_one_of_ours_finds_what_it_finds_there(tmp_path: Path) -> None:
    """As the arms of lerobot-robot-so101-paxini and lerobot-robot-fastgripper, which has a bus of its own."""
    from lerobot.robots.so_follower import SO101FollowerConfig, SOFollower
    from lerobot.teleoperators.so_leader import SO101LeaderConfig, SOLeader

    class Toasting(SOFollower):
        def __init__(self, config) -> None:
            super().__init__(config)
            self.bus = FeetechMotorsBus(port=config.port, motors=self.bus.motors, calibration=self.calibration)

        @property
        def observation_features(self):
            return {**self._motors_ft, "crumbs": float, **self._cameras_ft}

    lever = MotorCalibration(1, 0, 10, 700, 3000)
    names = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
    kept = {name: replace(lever, id=number) for number, name in enumerate(names, 1)}
    save_calibration(tmp_path / "left.json", kept)
    cameras = {"front": {"type": "fake", "width": 48, "height": 32}}
    robot = Toasting(SO101FollowerConfig(port="/dev/x", id="left", calibration_dir=tmp_path, cameras=cameras))
    assert list(robot.observation_features) == [*(f"{name}.pos" for name in names), "crumbs", "front"]
    assert robot.observation_features["front"] == (32, 48, 3)
    assert robot.calibration == kept
    assert (robot.calibration_dir, robot.calibration_fpath.name) == (tmp_path, "left.json")
    robot.calibration = kept | {"gripper": replace(kept["gripper"], range_max=2500)}
    robot._save_calibration()
    leader = SOLeader(SO101LeaderConfig(port="/dev/x", id="left", calibration_dir=tmp_path))
    assert leader.calibration["gripper"].range_max == robot.bus.calibration["gripper"].range_max == 2500
    leader.calibration = {}
    leader._load_calibration(leader.calibration_fpath)
    assert leader.calibration["gripper"].range_max == 2500
