"""`lerobot calibrate` and `lerobot setup-motors`: one device, a person if needed, a safe end in every case."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.core.commands.calibrate import CalibrateConfig
from lerobot.core.commands.setup_motors import SetupMotorsConfig
from lerobot.core.config import load
from lerobot.core.devices.command import calibrate, setup_motors
from lerobot.core.errors import ConfigError, DeviceConnectionError, DeviceError, LeRobotError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.fake.teleoperator import FakeTeleoperator
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter


@pytest.fixture
def robots(monkeypatch: pytest.MonkeyPatch) -> list[FakeRobot]:
    """Every fake robot that is built."""
    built: list[FakeRobot] = []
    original = FakeRobot.__init__

    def remember(self: FakeRobot, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.prompter = ScriptedPrompter()
        built.append(self)

    monkeypatch.setattr(FakeRobot, "__init__", remember)
    return built


def config(**fields: Any) -> CalibrateConfig:
    return CalibrateConfig.model_validate(fields)


def test_a_robot_is_calibrated_and_ends_safely(lerobot_home: Path, robots: list[FakeRobot]) -> None:
    prompter = ScriptedPrompter()
    calibrate(config(robot={"type": "fake", "id": "one", "disable_torque_on_disconnect": False}), prompter)
    stored = json.loads((lerobot_home / "calibration/robots/fake/one.json").read_text())
    assert stored["gripper"]["homing_offset"] == 17 * 6
    assert prompter.said == ["fake(one) is calibrated."]
    assert robots[0].log[-1].event == "torque off"
    assert not robots[0].is_connected


def test_a_teleoperator_is_calibrated(lerobot_home: Path) -> None:
    calibrate(config(teleop={"type": "fake", "id": "lead"}), ScriptedPrompter())
    assert (lerobot_home / "calibration/teleoperators/fake/lead.json").exists()


@pytest.mark.parametrize("fields", [{}, {"robot": {"type": "fake"}, "teleop": {"type": "fake"}}])
@pytest.mark.parametrize("model", [CalibrateConfig, SetupMotorsConfig])
def test_exactly_one_device_is_wanted(model: type[CalibrateConfig], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"--robot\.type(=NAME)? or --teleop\.type"):
        model.model_validate(fields)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_failing_calibration_ends_in_the_safe_state(
    lerobot_home: Path, robots: list[FakeRobot], monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(self: FakeRobot) -> None:
        raise error

    monkeypatch.setattr(FakeRobot, "calibrate", fail)
    with pytest.raises(error):
        calibrate(config(robot={"type": "fake", "disable_torque_on_disconnect": False}), ScriptedPrompter())
    assert [entry.event for entry in robots[0].log] == ["torque on", "torque off"]
    assert not robots[0].is_connected


def test_a_failing_calibration_disconnects_a_teleoperator(lerobot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def fail(self: FakeTeleoperator) -> None:
        raise RuntimeError("slipped")

    monkeypatch.setattr(FakeTeleoperator, "calibrate", fail)
    monkeypatch.setattr(FakeTeleoperator, "disconnect", lambda self: closed.append(self))
    with pytest.raises(RuntimeError, match="slipped"):
        calibrate(config(teleop={"type": "fake"}), ScriptedPrompter())
    assert closed


def test_motors_that_do_not_answer_are_reported(lerobot_home: Path) -> None:
    with pytest.raises(DeviceConnectionError, match="does not answer"):
        calibrate(config(robot={"type": "fake", "connect_fails": True}), ScriptedPrompter())


def test_without_a_person_one_line_says_so(lerobot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: FakeRobot) -> None:
        raise EOFError("Move the arm to the middle")

    monkeypatch.setattr(FakeRobot, "calibrate", ask)
    with pytest.raises(LeRobotError, match=r"calibrating fake needs somebody") as caught:
        calibrate(config(robot={"type": "fake"}), ScriptedPrompter())
    assert caught.value.hint


def test_every_motor_gets_its_id(lerobot_home: Path, robots: list[FakeRobot]) -> None:
    prompter = ScriptedPrompter()
    setup_motors(SetupMotorsConfig.model_validate({"robot": {"type": "fake"}}), prompter)
    asked = robots[0].prompter
    assert isinstance(asked, ScriptedPrompter)
    assert len(asked.asked) == 6
    assert asked.said[0] == "'gripper' motor id set to 6"
    assert prompter.said == ["The motors of fake are set up."]


def test_a_device_without_motors_is_told_apart() -> None:
    with pytest.raises(DeviceError, match=r"^Device type 'fake' does not support motor setup\.") as caught:
        setup_motors(SetupMotorsConfig.model_validate({"teleop": {"type": "fake"}}), ScriptedPrompter())
    assert caught.value.hint.endswith("lerobot plugins info teleoperator fake")


def test_the_bus_is_released_when_setting_up_fails(lerobot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def fail(self: FakeRobot) -> None:
        raise DeviceError("no answer from the gripper")

    monkeypatch.setattr(FakeRobot, "setup_motors", fail)
    monkeypatch.setattr(FakeRobot, "disconnect", lambda self: closed.append(self))
    with pytest.raises(DeviceError, match="no answer"):
        setup_motors(SetupMotorsConfig(robot=FakeRobotConfig()), ScriptedPrompter())
    assert closed


@pytest.mark.parametrize("command", ["calibrate", "setup-motors"])
def test_without_a_device_the_flags_that_name_one_are_said(command: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(registry.config_class("command", command), [])
    assert "--robot.type=NAME or --teleop.type=NAME" in str(caught.value)
    assert "not both" not in str(caught.value)
