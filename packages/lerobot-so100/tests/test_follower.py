"""The follower arm: torque, limits, configuration, cameras, ways to end."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError, FeatureMismatchError, NotConnectedError
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import MotorValueError
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.so100.config import SO101FollowerConfig
from lerobot.so100.follower import SOFollower

TRAVEL = (3280 - 761) * 360 / 4095
"""Calibrated travel of shoulder_pan in degrees."""


@pytest.fixture
def build(arm: VirtualBus, calibrations: Path) -> Iterator[Callable[..., SOFollower]]:
    built: list[SOFollower] = []

    def build(**fields: Any) -> SOFollower:
        config = SO101FollowerConfig(**{"port": arm.port, "id": "black", "calibration_dir": calibrations, **fields})
        built.append(SOFollower(config, prompter=ScriptedPrompter()))
        return built[-1]

    yield build
    for robot in built:
        robot.disconnect()


def positions(arm: VirtualBus) -> list[float]:
    return [arm.state(servo.id)["position"] for servo in arm.spec.servos]


def test_connecting_moves_nothing_whatever_the_goals_were(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    robot.send_action({"shoulder_pan.pos": 30.0})
    robot.disconnect()
    arm.move({1: 2500})
    before = positions(arm)
    robot.connect()
    assert arm.state(1)["Torque_Enable"] == 1
    for _ in range(5):
        robot.get_observation()
    assert positions(arm) == before


def test_features_carry_unit_range_and_speed(build) -> None:
    features = build().action_features
    assert list(features) == [
        *("shoulder_pan.pos", "shoulder_lift.pos", "elbow_flex.pos", "wrist_flex.pos", "wrist_roll.pos", "gripper.pos")
    ]
    pan, roll, gripper = (features[f"{joint}.pos"] for joint in ("shoulder_pan", "wrist_roll", "gripper"))
    assert (pan.unit, pan.max_velocity) == ("deg", 270.0)
    assert pan.range == pytest.approx((-TRAVEL / 2, TRAVEL / 2))
    assert roll.range == (-180.0, 180.0)
    assert (gripper.unit, gripper.range) == ("percent", (0.0, 100.0))
    assert gripper.max_velocity == pytest.approx(100 * 270 / ((3514 - 2013) * 360 / 4095))
    assert build(use_degrees=False).action_features["shoulder_pan.pos"].range == (-100.0, 100.0)


def test_a_target_is_reached(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    target = {"shoulder_pan.pos": 12.0, "gripper.pos": 80.0}
    assert robot.send_action(target) == target
    while arm.state(1)["Moving"] or arm.state(6)["Moving"]:
        pass
    observation = robot.get_observation()
    assert observation["shoulder_pan.pos"] == pytest.approx(12, abs=0.2)
    assert observation["gripper.pos"] == pytest.approx(80, abs=0.2)


def test_targets_stay_inside_the_calibrated_travel(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    sent = robot.send_action({"shoulder_pan.pos": 500.0, "gripper.pos": -20.0})
    assert sent == {"shoulder_pan.pos": pytest.approx(TRAVEL / 2), "gripper.pos": 0.0}
    assert arm.state(1)["Goal_Position"] == 3280
    assert arm.state(6)["Goal_Position"] == 2013


@pytest.mark.parametrize("cap", [5.0, {"shoulder_pan": 5.0, "gripper": 3.0}])
def test_targets_stay_near_the_present_position(build, caplog, cap) -> None:
    robot = build(max_relative_target=cap)
    robot.connect()
    now = robot.get_observation()
    with caplog.at_level(logging.WARNING):
        sent = robot.send_action({"shoulder_pan.pos": now["shoulder_pan.pos"] + 90, "gripper.pos": now["gripper.pos"]})
        robot.send_action({"shoulder_pan.pos": 100.0, "gripper.pos": now["gripper.pos"]})
    assert sent["shoulder_pan.pos"] == pytest.approx(now["shoulder_pan.pos"] + 5, abs=0.1)
    assert [record.getMessage() for record in caplog.records] == [
        "so_follower(black): max_relative_target holds shoulder_pan back"
    ]


def test_limits_for_other_joints_are_refused(build) -> None:
    robot = build(max_relative_target={"shoulder_pan": 5.0})
    robot.connect()
    with pytest.raises(FeatureMismatchError, match="max_relative_target names shoulder_pan, the action gripper"):
        robot.send_action({"gripper.pos": 3.0})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_sent(arm: VirtualBus, build, value) -> None:
    robot = build()
    robot.connect()
    robot.send_action({"wrist_flex.pos": 1.0})
    before = arm.state(4)["Goal_Position"]
    arm.packets()
    if value == float("inf"):
        robot.send_action({"wrist_flex.pos": value})
        assert arm.state(4)["Goal_Position"] == 3074, "held at the end of the travel"
        return
    with pytest.raises(MotorValueError):
        robot.send_action({"wrist_flex.pos": value, "gripper.pos": 1.0})
    assert arm.packets() == []
    assert arm.state(4)["Goal_Position"] == before


def test_keys_that_are_no_positions_are_left_out_and_unknown_joints_refused(build) -> None:
    robot = build()
    robot.connect()
    assert robot.send_action({"gripper.pos": 3.0, "gripper.vel": 9.0, "task": "x"}) == {"gripper.pos": 3.0}
    assert robot.send_action({}) == {}
    with pytest.raises(FeatureMismatchError, match="no joint elbow"):
        robot.send_action({"elbow.pos": 3.0})


def test_the_servos_are_configured_for_good(arm: VirtualBus, build) -> None:
    robot = build(position_p_coefficient=20)
    robot.connect()
    robot.disconnect()
    arm.power(False)
    arm.power(True)
    for servo_id in range(1, 7):
        state = arm.state(servo_id)
        assert (state["P_Coefficient"], state["I_Coefficient"], state["D_Coefficient"]) == (20, 0, 32)
        assert (state["Operating_Mode"], state["Return_Delay_Time"], state["Maximum_Acceleration"]) == (0, 0, 254)
    gripper = arm.state(6)
    assert (gripper["Max_Torque_Limit"], gripper["Protection_Current"], gripper["Overload_Torque"]) == (500, 250, 25)
    assert arm.state(5)["Max_Torque_Limit"] == 1000


def test_configure_leaves_torque_as_it_was(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    robot.bus.disable_torque("gripper")
    robot.configure()
    assert [arm.state(i)["Torque_Enable"] for i in range(1, 7)] == [1, 1, 1, 1, 1, 0]


def test_observations_say_when_they_were_measured(build) -> None:
    robot = build(cameras={"front": FakeCameraConfig(width=64, height=48, fps=30)})
    robot.connect()
    observation = robot.get_observation()
    assert set(observation.stamps) == set(observation) == set(robot.observation_features)
    assert observation["front"].shape == (48, 64, 3)
    assert observation.stamps["front"].sequence is not None


@pytest.mark.parametrize(("keep", "torque", "state"), [(False, 0, "torque off"), (True, 1, "hold position")])
def test_the_declared_safe_state_is_kept_at_the_end(arm: VirtualBus, build, keep, torque, state) -> None:
    robot = build(disable_torque_on_disconnect=not keep)
    robot.connect()
    robot.send_action({"shoulder_pan.pos": 60.0})
    robot.enter_safe_state()
    assert robot.safe_state == state
    if keep:
        assert arm.state(1)["Goal_Position"] == pytest.approx(arm.state(1)["Present_Position"], abs=60)
    robot.disconnect()
    assert [arm.state(i)["Torque_Enable"] for i in range(1, 7)] == [torque] * 6


def test_an_unplugged_arm_still_lets_go_of_its_cameras(arm: VirtualBus, build) -> None:
    robot = build(cameras={"front": FakeCameraConfig(width=64, height=48, fps=30)})
    robot.connect()
    arm.unplug()
    with pytest.raises(DeviceConnectionError, match="was lost"):
        robot.get_observation()
    with pytest.raises(NotConnectedError) as caught:
        robot.enter_safe_state()
    assert "was lost" in str(caught.value)
    assert "connect()" not in str(caught.value)
    robot.disconnect()
    assert not robot.cameras["front"].is_connected


def test_torque_that_stays_on_is_told(arm: VirtualBus, build, caplog) -> None:
    robot = build()
    robot.connect()
    arm.fault(2, Fault.MISSING)
    robot.disconnect()
    assert "Torque of shoulder_lift could not be switched off" in caplog.text
    assert arm.state(3)["Torque_Enable"] == 0
    assert not robot.bus.is_connected


def test_five_percent_damage_does_not_show(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    for servo in arm.spec.servos:
        arm.fault(servo.id, Fault.CORRUPT, 0.05)
    for _ in range(100):
        observation = robot.get_observation()
        robot.send_action({key: observation[key] for key in robot.action_features})
    assert robot.bus.statistics.failures == 0
    assert robot.bus.statistics.misses > 0


def test_cameras_that_share_a_line_are_told_when_they_fall_short(build, caplog, monkeypatch) -> None:
    monkeypatch.setattr("lerobot.motors.arms.follower.CAMERA_TEST_S", 0.3)
    slow = FakeCameraConfig(width=64, height=48, fps=100, frame_delay_s=0.05)
    robot = build(cameras={"slow": slow})
    robot.connect()
    assert "camera 'slow' gives " in caplog.text
    assert "of the 100.0 pictures a second" in caplog.text


def test_motors_tell_what_they_feel_with_one_packet(arm: VirtualBus, build) -> None:
    robot = build()
    robot.connect()
    assert list(robot.monitored_motors) == list(robot.bus.motors)
    before = robot.bus.statistics.packets
    health = robot.motor_health("elbow_flex")
    assert robot.bus.statistics.packets == before + 1
    state = arm.state(3)
    assert health.temperature_c == state["Present_Temperature"]
    assert health.current_ma == pytest.approx(6.5 * state["Present_Current"], abs=30)
    assert health.load_percent == pytest.approx(state["Present_Load"] / 10, abs=2)
