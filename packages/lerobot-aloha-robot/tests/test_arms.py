"""What is particular to ALOHA arms: joints that two servos turn, which must never be sent to different places."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lerobot.aloha_robot.bimanual import BiAlohaFollower
from lerobot.aloha_robot.bus import ShadowedBus
from lerobot.aloha_robot.config import (
    AlohaFollowerConfig,
    AlohaLeaderConfig,
    BiAlohaFollowerConfig,
)
from lerobot.aloha_robot.follower import AlohaFollower
from lerobot.aloha_robot.leader import AlohaLeader
from lerobot.core.errors import CalibrationError, FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import load_calibration, save_calibration
from lerobot.motors.arms import UnitFollowerFields
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.virtual import Sweeper, VirtualBus

JOINTS = ["waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper"]
"""Of one arm, in the order of the published ALOHA datasets, whose names are `left_waist`, `left_shoulder`, ..."""

ALL = range(1, 10)
PAIRS = ((2, 3), (4, 5))
TENTH_TURN = 410


def follower(line: VirtualBus, calibrations: Path, **fields: object) -> AlohaFollower:
    return AlohaFollower(AlohaFollowerConfig(port=line.port, id="black", calibration_dir=calibrations, **fields))


@pytest.mark.parametrize(
    ("kind", "name", "defaults"),
    [
        (
            "robot",
            "aloha_follower",
            {"disable_torque_on_disconnect": True, "max_relative_target": None, "cameras": {}},
        ),
        ("teleoperator", "aloha_leader", {}),
    ],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="/dev/ttyUSB0")
    shared = {"use_degrees": False, "id": None, "calibration_dir": None}
    assert config.model_dump(exclude={"type", "port"}) == {**defaults, **shared}


def test_a_pair_has_the_fourteen_names_of_the_published_datasets() -> None:
    arm = UnitFollowerFields(port="x")
    pair = BiAlohaFollower(BiAlohaFollowerConfig(id="two", left_arm_config=arm, right_arm_config=arm))
    assert list(pair.action_features) == [f"{side}_{joint}.pos" for side in ("left", "right") for joint in JOINTS]


@pytest.mark.parametrize(
    ("arm", "config", "name"),
    [(AlohaFollower, AlohaFollowerConfig, "aloha"), (AlohaLeader, AlohaLeaderConfig, "aloha_leader")],
)
def test_a_swept_arm_has_shadows_that_agree(
    start: Callable[..., VirtualBus], tmp_path: Path, arm: type, config: type, name: str
) -> None:
    line = start(name, calibrated=False)
    device = arm(config(port=line.port, id="new", calibration_dir=tmp_path), prompter=Sweeper([line]))
    device.connect()
    found = load_calibration(tmp_path / "new.json")
    for first, shadow in (("shoulder", "shoulder_shadow"), ("elbow", "elbow_shadow")):
        assert found[first].drive_mode != found[shadow].drive_mode
        assert found[first].range_min == pytest.approx(found[shadow].range_min, abs=2)
    line.move({servo_id: line.spec.servos[servo_id - 1].stops[0] + 300 for servo_id in (2, 4)})
    device.bus.require_agreement()
    assert list(device.measure()) == [f"{joint}.pos" for joint in JOINTS]
    device.disconnect()


def test_what_the_servos_work_with(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha")
    with follower(line, calibrations):
        assert [line.state(i)["Secondary_ID"] for i in ALL] == [255, 255, 2, 255, 4, 255, 255, 255, 255]
        assert [line.state(i)["Operating_Mode"] for i in ALL] == [4] * 8 + [5]
        assert [line.state(i)["Drive_Mode"] for i in ALL] == [0, 1, 0, 1, 0, 0, 1, 0, 0]
        assert {line.state(i)["Velocity_Limit"] for i in ALL} == {131}
        assert [line.state(i)["Torque_Enable"] for i in ALL] == [1] * 9
    assert not any(line.state(i)["Torque_Enable"] for i in ALL)


def test_the_servos_of_a_joint_always_have_one_goal(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha")
    arm = follower(line, calibrations, disable_torque_on_disconnect=False)
    arm.connect()

    def goals() -> list[tuple[float, float]]:
        states = {i: line.state(i) for pair in PAIRS for i in pair}
        return [(states[first]["Goal_Position"], states[shadow]["Goal_Position"]) for first, shadow in PAIRS]

    assert all(first == shadow for first, shadow in goals())
    arm.send_action({"shoulder.pos": 50.0, "elbow.pos": -50.0})
    assert goals() == [(2600, 2600), (1400, 1400)]
    while any((state := line.state(i))["Moving"] or state["Present_Position"] != g for i, g in ((2, 2600), (4, 1400))):
        pass
    # They swing a count past their goals and back.
    while (line.state(3)["Present_Position"], line.state(5)["Present_Position"]) != (2600, 1400):
        pass
    for stop in (arm.enter_safe_state, arm.configure):
        stop()
        assert all(first == shadow for first, shadow in goals())
        assert goals() == [pytest.approx((2600, 2600), abs=2), pytest.approx((1400, 1400), abs=2)]
    arm.disconnect()


def test_servos_a_degree_apart_are_held_at_one_place(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    """As calibration may leave them, within play: what each would hold by itself differs."""
    line = start("aloha")
    arm = follower(line, calibrations)
    arm.bus.connect()
    offset = arm.bus.read("Homing_Offset", "shoulder_shadow")
    arm.bus.write("Homing_Offset", "shoulder_shadow", offset + 11)
    arm.bus.calibration = arm.bus.read_calibration()
    arm.bus.disconnect(disable_torque=False)
    arm.connect()
    apart = [line.state(i)["Present_Position"] for i in (2, 3)]
    assert apart[1] - apart[0] == 11
    assert {line.state(i)["Goal_Position"] for i in (2, 3)} == {apart[0]}
    arm.disconnect()


@pytest.mark.parametrize("slip", [TENTH_TURN, -4096])
def test_servos_far_apart_are_refused_before_torque(
    start: Callable[..., VirtualBus], calibrations: Path, slip: int
) -> None:
    line = start("aloha")
    arm = follower(line, calibrations)
    arm.bus.connect()
    offset = arm.bus.read("Homing_Offset", "elbow_shadow")
    arm.bus.write("Homing_Offset", "elbow_shadow", offset + slip)
    arm.bus.calibration = arm.bus.read_calibration()
    arm.bus.disconnect(disable_torque=False)
    line.packets()
    with pytest.raises(CalibrationError, match=r"elbow") as caught:
        arm.connect()
    assert "\n" not in caught.value.what
    if slip == TENTH_TURN:
        assert caught.value.what == "'elbow' reports 2000 and 'elbow_shadow' 2410: 36.0 degrees apart."
        assert [finding.what for finding in arm.diagnose()] == [caught.value.what]
    assert not any(packet[7:10] == b"\3\x40\0" and packet[10] for packet in line.packets()), "torque came on"
    arm.bus.connect()
    with pytest.raises(CalibrationError, match="degrees apart"):
        arm.bus.enable_torque("elbow")
    arm.bus.disconnect(disable_torque=False)
    assert not any(line.state(i)["Torque_Enable"] for i in ALL)


def test_a_calibration_with_servos_apart_is_refused(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha_leader")
    file = calibrations / "blue.json"
    entries = load_calibration(file)
    entry = entries["elbow_shadow"]
    save_calibration(file, {**entries, "elbow_shadow": replace(entry, homing_offset=entry.homing_offset + TENTH_TURN)})
    config = AlohaLeaderConfig(port=line.port, id="blue", calibration_dir=calibrations)
    arm = AlohaLeader(config, prompter=ScriptedPrompter([""]))
    arm.connect(calibrate=False)
    with pytest.raises(CalibrationError, match="degrees apart"):
        arm.calibrate()
    arm.disconnect()
    with pytest.raises(CalibrationError, match="degrees apart"):
        arm.connect()
    assert not arm.is_connected


def test_torque_comes_on_for_both_servos_or_none(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha_leader")
    config = AlohaLeaderConfig(port=line.port, id="blue", calibration_dir=calibrations)
    with AlohaLeader(config) as arm:
        assert not any(line.state(i)["Torque_Enable"] for i in ALL)
        arm.bus.enable_torque("elbow_shadow")
        assert [line.state(i)["Torque_Enable"] for i in ALL] == [0, 0, 0, 1, 1, 0, 0, 0, 0]
        arm.bus.disable_torque("elbow")
        assert not any(line.state(i)["Torque_Enable"] for i in ALL)


@pytest.mark.parametrize(
    ("register", "content", "message"),
    [
        ("Secondary_ID", 255, "'shoulder_shadow' does not obey 'shoulder': its Secondary_ID is 255"),
        ("Drive_Mode", 1, "'shoulder_shadow' and 'shoulder' turn the same way"),
    ],
)
def test_a_shadow_that_mirrors_nothing_gets_no_torque(
    start: Callable[..., VirtualBus], calibrations: Path, register: str, content: int, message: str
) -> None:
    line = start("aloha")
    bus = follower(line, calibrations).bus
    bus.connect()
    bus.write("Secondary_ID", "shoulder_shadow", 2)
    bus.write(register, "shoulder_shadow", content)
    with pytest.raises(MotorError, match=message):
        bus.enable_torque("shoulder")
    bus.disconnect(disable_torque=False)
    assert not line.state(2)["Torque_Enable"]


def test_a_shadow_driven_by_a_cable_is_refused(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha", registers={3: {"Drive_Mode": 2}})
    with pytest.raises(MotorError, match=r"'shoulder_shadow' is driven by a cable from 'shoulder'"):
        follower(line, calibrations).connect()


def test_nobody_commands_a_shadow(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("aloha")
    with follower(line, calibrations) as arm:
        bus: ShadowedBus = arm.bus
        with pytest.raises(FeatureMismatchError, match="no joint elbow_shadow"):
            arm.send_action({"elbow_shadow.pos": 0.0})
        for register in ("Goal_Position", "Goal_Current"):
            with pytest.raises(MotorValueError, match="mirrors 'elbow'"):
                bus.write(register, "elbow_shadow", 0, normalize=False)
            with pytest.raises(MotorValueError, match="mirrors 'elbow'"):
                bus.sync_write(register, {"waist": 0, "elbow_shadow": 0}, normalize=False)
        before = line.state(4)["Goal_Position"]
        bus.sync_write("Goal_Position", {"elbow": before + 9, "elbow_shadow": before - 99}, normalize=False)
        assert [line.state(i)["Goal_Position"] for i in (4, 5)] == [before + 9] * 2
