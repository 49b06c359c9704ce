"""What is particular to Reachy 2: limits it says itself, a base that must be told again, another program in command."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from reachy2_sdk_api.mobile_base_utility_pb2 import ZuuuModePossiblities

from lerobot.core.errors import DeviceConnectionError, DeviceError, FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.reachy2 import robot as robot_module
from lerobot.reachy2.config import Reachy2CameraConfig, Reachy2Config, Reachy2TeleoperatorConfig
from lerobot.reachy2.joints import BASE_FEATURES
from lerobot.reachy2.robot import Reachy2
from lerobot.reachy2.teleoperator import Reachy2Teleoperator
from lerobot.reachy2.virtual import VirtualReachy
from lerobot.reachy2.virtual_body import VirtualJoint


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def test_keys_are_those_of_recorded_vectors() -> None:
    arm = (
        "shoulder_pitch",
        "shoulder_roll",
        "elbow_yaw",
        "elbow_pitch",
        "wrist_roll",
        "wrist_pitch",
        "wrist_yaw",
        "gripper",
    )
    assert list(Reachy2(Reachy2Config()).action_features) == [
        *("neck_yaw.pos", "neck_pitch.pos", "neck_roll.pos"),
        *(f"l_{joint}.pos" for joint in arm),
        *(f"r_{joint}.pos" for joint in arm),
        *("l_antenna.pos", "r_antenna.pos"),
        *("mobile_base.vx", "mobile_base.vy", "mobile_base.vtheta"),
    ]
    only = Reachy2Config(with_mobile_base=False, with_l_arm=False, with_neck=False, with_antennas=False)
    assert len(Reachy2(only).action_features) == 8


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config: Any = registry.config_class("robot", "reachy2")()
    assert config.model_dump(exclude={"type", "sdk_port", "connect_timeout_s", "max_age_s"}) == {
        "max_relative_target": None,
        "ip_address": "localhost",
        "port": 50065,
        "disable_torque_on_disconnect": False,
        "use_external_commands": False,
        **{f"with_{part}": True for part in ("mobile_base", "l_arm", "r_arm", "neck", "antennas")},
        **{f"with_{camera}": False for camera in ("left_teleop_camera", "right_teleop_camera", "torso_camera")},
        "camera_width": 640,
        "camera_height": 480,
        "cameras": {},
        "id": None,
        "calibration_dir": None,
    }
    with_all = Reachy2Config(with_left_teleop_camera=True, with_right_teleop_camera=True, with_torso_camera=True)
    assert list(Reachy2(with_all).observation_features)[24:] == ["teleop_left", "teleop_right", "torso_rgb"]


def test_a_robot_without_parts_and_a_camera_without_such_pictures_are_refused() -> None:
    none = dict.fromkeys(("with_mobile_base", "with_l_arm", "with_r_arm", "with_neck", "with_antennas"), False)
    with pytest.raises(ValidationError, match="with_mobile_base, with_l_arm"):
        Reachy2Config(**none)
    with pytest.raises(ValidationError, match="image_type=left or right of the camera teleop, not rgb"):
        Reachy2CameraConfig(name="teleop", image_type="rgb")


def test_joints_and_base_go_where_they_are_told(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    with built(reachy) as robot:
        wanted = {"r_elbow_pitch.pos": -40.0, "l_gripper.pos": 60.0, "neck_yaw.pos": 20.0}
        drive = {"mobile_base.vx": 0.2, "mobile_base.vy": -0.1, "mobile_base.vtheta": 30.0}

        def arrived() -> bool:
            assert robot.send_action({**wanted, **drive}) == pytest.approx({**wanted, **drive})
            measured = robot.get_observation()
            return all(abs(measured[key] - value) < 0.1 for key, value in {**wanted, **drive}.items())

        until(arrived)
        assert list(robot.get_observation()) == list(robot.observation_features)
        # Not told again, the base stops.
        until(lambda: robot.get_observation()["mobile_base.vx"] == 0.0)
        until(arrived)
        robot.enter_safe_state()
        assert reachy.body.base_mode == ZuuuModePossiblities.BRAKE
        until(arrived)  # it can be driven again


def test_nothing_jumps_while_the_motors_are_switched_on(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    elbow = reachy.body.joints["r_elbow_pitch.pos"]
    speeds: list[float] = []

    class Left(VirtualJoint):
        """Its goal is from before it was switched off."""

        def move(self, elapsed_s: float) -> None:
            if not self.compliant:
                speeds.append(self.speed)
            super().move(elapsed_s)
            if self.compliant:
                self.goal = -2.0

    elbow.__class__ = Left
    with built(reachy) as robot:
        assert speeds[0] == 0.01
        assert elbow.speed == 1.0
        assert elbow.goal > -0.1, "its goal is where it was found"
        assert robot.get_observation()["r_elbow_pitch.pos"] > -5.0


def test_the_robots_own_limits_hold_too(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    reachy.body.joints["neck_yaw.pos"].limits = (-0.5, 0.5)
    with built(reachy) as robot:
        assert robot.send_action({"neck_yaw.pos": 90.0})["neck_yaw.pos"] == pytest.approx(28.648, abs=1e-3)


def test_targets_are_capped_where_that_is_wanted(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    with built(reachy, max_relative_target=5.0) as robot:
        present = robot.get_observation()["neck_yaw.pos"]
        assert robot.send_action({"neck_yaw.pos": 90.0})["neck_yaw.pos"] == pytest.approx(present + 5.0)


@pytest.mark.parametrize(
    "action", [{"neck_yaw.pos": float("nan")}, {"neck_yaw": 1.0}, {"mobile_base.vx": float("inf")}]
)
def test_of_an_action_that_is_refused_nothing_is_sent(
    reachy: VirtualReachy, built: Callable[..., Reachy2], action: dict[str, float]
) -> None:
    with built(reachy) as robot:
        reachy.asked.clear()
        with pytest.raises(FeatureMismatchError):
            robot.send_action({"r_wrist_yaw.pos": 3.0, **action})
        assert not reachy.asked


def test_another_programs_commands_count_and_nothing_is_sent(
    reachy: VirtualReachy, built: Callable[..., Reachy2]
) -> None:
    with built(reachy) as vendor, built(reachy, use_external_commands=True) as robot:
        reachy.asked.clear()
        vendor.send_action({"neck_yaw.pos": 25.0, "mobile_base.vx": 0.3})
        until(lambda: robot.send_action({})["neck_yaw.pos"] == pytest.approx(25.0, abs=1e-4))
        until(lambda: robot.send_action({"neck_yaw.pos": -70.0})["mobile_base.vx"] == pytest.approx(0.3))
        assert robot.send_action({"neck_yaw.pos": -70.0})["neck_yaw.pos"] == pytest.approx(25.0, abs=1e-4)
        robot.enter_safe_state()
        robot.configure()
        assert [method for method, _ in reachy.asked] == ["SendComponentsCommands", "SetZuuuMode", "SendDirection"]


def test_a_teleoperator_gives_commands_or_positions(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    where = {"ip_address": "127.0.0.1", "sdk_port": reachy.port, "max_age_s": 20.0, "connect_timeout_s": 30.0}
    commanded = Reachy2Teleoperator(Reachy2TeleoperatorConfig(**where))
    present = Reachy2Teleoperator(Reachy2TeleoperatorConfig(**where, use_present_position=True, with_mobile_base=False))
    with built(reachy) as vendor, commanded, present:
        reachy.body.joints["neck_yaw.pos"].speed = 0.0
        vendor.send_action({"neck_yaw.pos": 25.0, "mobile_base.vtheta": -30.0})
        until(lambda: commanded.get_action()["neck_yaw.pos"] == pytest.approx(25.0, abs=1e-4))
        until(lambda: commanded.get_action()["mobile_base.vtheta"] == pytest.approx(-30.0, abs=1e-4))
        assert present.get_action()["neck_yaw.pos"] == pytest.approx(0.0, abs=1e-6)
        assert not set(BASE_FEATURES) & set(present.get_action())
        with pytest.raises(FeatureMismatchError, match="gives nothing to feel"):
            present.send_feedback({"neck_yaw.pos": 1.0})


def test_the_arms_are_let_down_where_that_is_wanted(
    reachy: VirtualReachy, built: Callable[..., Reachy2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robot_module, "LET_DOWN_S", 0.03)
    with built(reachy, disable_torque_on_disconnect=True):
        assert not any(joint.compliant for joint in reachy.body.joints.values())
    assert all(joint.compliant for joint in reachy.body.joints.values())
    torque = [message.limit for method, message in reachy.asked if method == "SetTorqueLimit"]
    assert torque[-8:] == [35, 35, 25, 25, 15, 15, 100, 100]


def test_parts_that_do_not_count_are_left_alone(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    with built(reachy, with_l_arm=False, with_neck=False, with_antennas=False, with_mobile_base=False):
        on = {key for key, joint in reachy.body.joints.items() if not joint.compliant}
        assert on == {key for key in reachy.body.joints if key.startswith("r_") and "antenna" not in key}


def test_a_part_that_is_missing_is_named(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    def without_base(method: str, reply: Any) -> Any:
        if method == "GetReachy":
            reply.ClearField("mobile_base")
        return reply

    reachy.after = without_base
    with pytest.raises(DeviceConnectionError, match="reachy2 has no mobile_base") as caught:
        built(reachy).connect()
    assert "with_mobile_base=false" in caught.value.hint
    with built(reachy, with_mobile_base=False) as robot:
        robot.send_action({})


def test_axes_in_another_order_are_refused(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    def swapped(method: str, reply: Any) -> Any:
        if method == "GetReachy":
            elbow = reply.r_arm.description.elbow
            elbow.axis_1, elbow.axis_2 = elbow.axis_2, elbow.axis_1
        return reply

    reachy.after = swapped
    with pytest.raises(DeviceConnectionError, match="the elbow of the r_arm has the axes PITCH, YAW"):
        built(reachy).connect()


def test_motors_that_stay_off_are_named(
    reachy: VirtualReachy, built: Callable[..., Reachy2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robot_module, "ON_WITHIN_S", 0.1)

    def without_power(method: str, reply: Any) -> Any:
        reachy.body.joints["l_wrist_roll.pos"].compliant = True
        return reply

    reachy.after = without_power
    with pytest.raises(DeviceError, match=r"l_arm.wrist of reachy2 did not switch on") as caught:
        built(reachy).connect()
    assert "emergency stop" in caught.value.hint


def test_a_teleoperator_has_the_name_that_huggingface_lerobot_gives_it() -> None:
    assert Reachy2Teleoperator.name == "reachy2_specific"
