"""What is particular to a LeKiwi: wheels that turn at a speed, on the line of an arm."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import FeatureMismatchError, PluginError
from lerobot.core.registry import registry
from lerobot.lekiwi.config import LeKiwiConfig
from lerobot.lekiwi.robot import LeKiwi
from lerobot.motors import load_calibration
from lerobot.motors.errors import MotorValueError
from lerobot.motors.virtual import Sweeper, VirtualBus

WHEELS = (7, 8, 9)
ALL = range(1, 10)


def built(line: VirtualBus, folder: Path, **fields: Any) -> LeKiwi:
    return LeKiwi(LeKiwiConfig(port=line.port, id="kiwi", calibration_dir=folder, **{"cameras": {}, **fields}))


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = registry.config_class("robot", "lekiwi")()
    assert config.model_dump(exclude={"type", "cameras"}) == {
        "port": "/dev/ttyACM0",
        "disable_torque_on_disconnect": True,
        "max_relative_target": None,
        "use_degrees": True,
        "num_read_retries": 2,
        "id": None,
        "calibration_dir": None,
    }
    cameras = {
        name: (c.type, str(c.index_or_path), c.width, c.height, c.fps, c.fourcc, c.rotation)
        for name, c in config.cameras.items()
    }
    assert cameras == {
        "front": ("opencv", "/dev/video0", 640, 480, 30, "MJPG", 180),
        "wrist": ("opencv", "/dev/video2", 480, 640, 30, "MJPG", 90),
    }


def test_without_cameras_of_usb_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_kind: str, name: str) -> None:
        raise PluginError(f"unknown camera '{name}'", kind="camera", name=name)

    monkeypatch.setattr(registry, "config_class", missing)
    with pytest.raises(PluginError, match="unknown camera 'opencv'"):
        LeKiwiConfig()
    assert LeKiwiConfig(cameras={}).cameras == {}


def test_a_robot_is_calibrated_without_moving_its_wheels(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line = start("lekiwi", calibrated=False)
    line.move({7: 3000.0})
    robot = LeKiwi(
        LeKiwiConfig(port=line.port, id="kiwi", calibration_dir=tmp_path, cameras={}), prompter=Sweeper([line])
    )
    robot.connect()
    found = load_calibration(tmp_path / "kiwi.json")
    assert list(found) == list(line.spec.names)
    assert [(entry.homing_offset, entry.range_min, entry.range_max) for entry in list(found.values())[6:]] == [
        (0, 0, 4095)
    ] * 3
    for name, servo in list(zip(line.spec.names, line.spec.servos, strict=True))[:6]:
        travel = 4095 if name == "arm_wrist_roll" else servo.stops[1] - servo.stops[0]
        assert found[name].range_max - found[name].range_min == travel
    assert [line.state(i)["Operating_Mode"] for i in ALL] == [0] * 6 + [1] * 3
    assert [line.state(1)[f"{gain}_Coefficient"] for gain in "PID"] == [16, 0, 32]
    assert [line.state(i)["Torque_Enable"] for i in ALL] == [1] * 9
    robot.disconnect()


def test_the_base_is_driven_and_measured(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("lekiwi")
    with built(line, calibrations) as robot:
        wanted = {"x.vel": 0.1, "y.vel": -0.05, "theta.vel": 20.0}
        sent = robot.send_action({"arm_elbow_flex.pos": 5.0, **wanted})
        assert sent == {"arm_elbow_flex.pos": 5.0, **wanted}
        while any(abs(robot.get_observation()[key] - value) > 0.02 * abs(value) for key, value in wanted.items()):
            pass
        assert list(robot.get_observation()) == list(robot.observation_features)
        assert set(robot.get_observation().stamps) == set(robot.action_features)


def test_what_the_wheels_cannot_reach_is_scaled_and_reported(
    start: Callable[..., VirtualBus], calibrations: Path
) -> None:
    line = start("lekiwi")
    with built(line, calibrations) as robot:
        sent = robot.send_action({"x.vel": 0.3, "y.vel": 0.3, "theta.vel": 90.0})
        assert (
            sent["x.vel"] == sent["y.vel"] == pytest.approx(sent["theta.vel"] / 300) == pytest.approx(0.11389, abs=1e-4)
        )
        assert [line.state(i)["Goal_Velocity"] for i in WHEELS] == [428, 513 | 1 << 15, 3000]


def test_a_velocity_left_out_is_zero(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("lekiwi")
    with built(line, calibrations) as robot:
        robot.send_action({"x.vel": 0.2})
        assert robot.send_action({"arm_gripper.pos": 50.0}) == {
            "arm_gripper.pos": 50.0, "x.vel": 0.0, "y.vel": 0.0, "theta.vel": 0.0
        }  # fmt: skip
        assert [line.state(i)["Goal_Velocity"] for i in WHEELS] == [0, 0, 0]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"arm_elbow_flex.pos": 5.0, "x.vel": float("nan")}, MotorValueError),
        ({"arm_elbow_flex.pos": float("nan"), "x.vel": 0.2}, MotorValueError),
        ({"base_left_wheel.pos": 1.0, "x.vel": 0.2}, FeatureMismatchError),
    ],
)
def test_of_an_action_that_is_refused_nothing_is_sent(
    start: Callable[..., VirtualBus], calibrations: Path, action: dict, error: type[Exception]
) -> None:
    line = start("lekiwi")
    with built(line, calibrations) as robot:
        line.packets()
        with pytest.raises(error):
            robot.send_action(action)
        assert line.packets() == []


def test_caps_are_named_with_or_without_the_ending(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    for key in ("arm_elbow_flex", "arm_elbow_flex.pos"):
        with built(start("lekiwi"), calibrations, max_relative_target={key: 3.0}) as robot:
            before = robot.get_observation()["arm_elbow_flex.pos"]
            sent = robot.send_action({"arm_elbow_flex.pos": before + 20.0})
            assert sent["arm_elbow_flex.pos"] == pytest.approx(before + 3.0, abs=0.2)


def test_wheels_that_were_left_turning_stand_still_after_connecting(
    start: Callable[..., VirtualBus], calibrations: Path
) -> None:
    """A host that is killed cannot stop its wheels, which turn on; the next one must not take their speed over."""
    line = start("lekiwi")
    killed = built(line, calibrations)
    killed.connect()
    killed.send_action({"theta.vel": 60.0})
    killed.bus.close()
    assert all(line.state(i)["Goal_Velocity"] for i in WHEELS)
    with built(line, calibrations):
        assert [line.state(i)["Goal_Velocity"] for i in WHEELS] == [0, 0, 0]
        assert [line.state(i)["Torque_Enable"] for i in WHEELS] == [1, 1, 1]


def test_torque_that_stays_on_holds_the_arm_and_stops_the_base(
    start: Callable[..., VirtualBus], calibrations: Path
) -> None:
    line = start("lekiwi")
    with built(line, calibrations, disable_torque_on_disconnect=False) as robot:
        assert robot.safe_state == "base stopped, arm hold position"
        robot.send_action({"arm_elbow_flex.pos": 60.0, "x.vel": 0.2})
        robot.enter_safe_state()
        state = line.state(3)
        assert abs(state["Goal_Position"] - state["Present_Position"]) < 60
    assert [line.state(i)["Goal_Velocity"] for i in WHEELS] == [0, 0, 0]
    assert [line.state(i)["Torque_Enable"] for i in ALL] == [1] * 9


def test_motors_are_set_up_from_the_gripper_to_the_first_wheel(tmp_path: Path) -> None:
    robot = LeKiwi(LeKiwiConfig(port="x", id="kiwi", calibration_dir=tmp_path, cameras={}))
    order = robot.setup_order()
    assert order[0] == "arm_gripper"
    assert order[5:] == ["arm_shoulder_pan", "base_right_wheel", "base_back_wheel", "base_left_wheel"]


def test_a_line_that_is_lost_is_no_reason_to_fail_at_the_end(
    start: Callable[..., VirtualBus], calibrations: Path
) -> None:
    line = start("lekiwi")
    robot = built(line, calibrations)
    robot.connect()
    line.unplug()
    robot.disconnect()
    assert not robot.is_connected
