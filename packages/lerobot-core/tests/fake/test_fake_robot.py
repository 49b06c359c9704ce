"""The fake robot: its dynamics against the closed form, its log, its calibration file, its faults."""

import json
import math
from pathlib import Path

import pytest

from lerobot.core.errors import CalibrationError, DeviceConnectionError, DeviceError
from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.testing import ScriptedPrompter


class SteppedClock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep_until(self, deadline: float) -> None:
        self.time = max(self.time, deadline)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def connected(tmp_path: Path, clock: SteppedClock, **fields: object) -> FakeRobot:
    robot = FakeRobot(
        FakeRobotConfig.model_validate({"calibration_dir": tmp_path, **fields}),
        prompter=ScriptedPrompter(),
        clock=clock,
    )
    robot.connect()
    return robot


def test_a_small_step_follows_the_first_order_response(tmp_path: Path, clock: SteppedClock) -> None:
    """x(t) = goal (1 - exp(-t / T)) for T = 0.05 s: 5 degrees away the velocity limit is not reached."""
    robot = connected(tmp_path, clock, time_constant_s=0.05)
    robot.send_action({"shoulder_pan.pos": 5.0})
    for tick in range(1, 21):
        clock.time = tick * 0.01
        expected = 5.0 * (1 - math.exp(-clock.time / 0.05))
        assert robot.get_observation()["shoulder_pan.pos"] == pytest.approx(expected, abs=1e-9)


def test_a_large_step_is_limited_by_the_declared_velocity(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    limit = robot.action_features["shoulder_pan.pos"].max_velocity
    robot.send_action({"shoulder_pan.pos": 110.0})
    before = 0.0
    for tick in range(1, 100):
        clock.time = tick * 0.01
        position = robot.get_observation()["shoulder_pan.pos"]
        assert position - before <= limit * 0.01 + 1e-9
        before = position
    assert before == pytest.approx(110.0, abs=0.1)


def test_targets_are_held_inside_the_range_and_reported(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    assert robot.send_action({"gripper.pos": 250.0, "elbow_flex.pos": -1e9}) == {
        "gripper.pos": 100.0,
        "elbow_flex.pos": -97.0,
    }
    with pytest.raises(DeviceError, match=r"gripper\.pos is nan"):
        robot.send_action({"gripper.pos": math.nan})


def test_the_log_holds_commands_and_ends_with_torque_off(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    clock.time = 1.5
    robot.send_action({"gripper.pos": 30.0})
    robot.enter_safe_state()
    robot.disconnect()
    assert [entry.event for entry in robot.log] == ["torque on", "command", "torque off"]
    assert (robot.log[1].time_s, robot.log[1].values) == (1.5, {"gripper.pos": 30.0})


def test_without_torque_nothing_moves(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    robot.enter_safe_state()
    robot.send_action({"wrist_roll.pos": 50.0})
    clock.time = 5.0
    assert robot.get_observation()["wrist_roll.pos"] == 0.0


def test_torque_may_stay_on_when_disconnecting(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock, disable_torque_on_disconnect=False)
    robot.disconnect()
    assert [entry.event for entry in robot.log] == ["torque on"]


def test_positions_carry_the_time_they_were_measured(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    clock.time = 7.25
    assert robot.get_observation().stamps["gripper.pos"].time_s == 7.25


def test_the_calibration_file_has_the_fields_of_the_field(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock, id="one", factory_calibrated=False)
    text = (tmp_path / "one.json").read_text()
    entry = json.loads(text)["shoulder_pan"]
    assert list(entry) == ["id", "drive_mode", "homing_offset", "range_min", "range_max"]
    assert not text.endswith("\n")
    assert robot.is_calibrated


def test_a_calibration_of_another_device_is_noticed(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock, id="one")
    robot.calibrate()
    stored = json.loads(robot.calibration_path.read_text())
    stored["gripper"]["homing_offset"] = 999
    robot.calibration_path.write_text(json.dumps(stored))
    assert not robot.is_calibrated


@pytest.mark.parametrize("text", ["{", "[]", '{"gripper": {}}', '{"shoulder_pan": {"id": 1.0}}'])
def test_a_damaged_calibration_file_is_named(tmp_path: Path, clock: SteppedClock, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(CalibrationError, match=r"one\.json"):
        connected(tmp_path, clock, id="one")


def test_a_failing_read_fails_as_configured(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock, fails_after=2)
    robot.get_observation()
    robot.get_observation()
    with pytest.raises(DeviceError, match="observation 2"):
        robot.get_observation()
    robot.enter_safe_state()
    assert robot.log[-1].event == "torque off"


def test_a_failing_send_is_not_logged_as_sent(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock, sends_fail_after=0)
    with pytest.raises(DeviceError, match="command 0"):
        robot.send_action({"gripper.pos": 1.0})
    assert [entry.event for entry in robot.log] == ["torque on"]


def test_motors_that_do_not_answer_stop_the_connection(tmp_path: Path, clock: SteppedClock) -> None:
    with pytest.raises(DeviceConnectionError, match="does not answer"):
        connected(tmp_path, clock, connect_fails=True)


def test_a_dead_camera_does_not_keep_the_arm_energised(tmp_path: Path, clock: SteppedClock) -> None:
    camera = FakeCameraConfig(width=32, height=32, fps=200, dies_after=1)
    robot = connected(tmp_path, clock, cameras={"front": camera}, disable_torque_on_disconnect=False)

    def observe_on() -> None:
        while True:
            robot.get_observation()

    with pytest.raises(DeviceError, match="died"):
        observe_on()
    robot.enter_safe_state()
    robot.disconnect()
    assert robot.log[-1].event == "torque off"


def test_setup_motors_goes_from_the_last_motor_to_the_first(tmp_path: Path, clock: SteppedClock) -> None:
    robot = connected(tmp_path, clock)
    robot.setup_motors()
    assert robot.prompter.asked[0] == "Connect the controller board to the 'gripper' motor only and press enter."
    assert robot.prompter.said[-1] == "'shoulder_pan' motor id set to 1"
