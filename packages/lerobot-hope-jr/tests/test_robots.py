"""What is particular to the HopeJR arm and hand: two models on one line, tendons that pull the other way."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.feetech.virtual import FeetechServo
from lerobot.hope_jr.arm import HopeJRArm
from lerobot.hope_jr.config import HopeJRArmConfig, HopeJRHandConfig
from lerobot.hope_jr.hand import HopeJRHand
from lerobot.motors import load_calibration
from lerobot.motors.errors import MotorError
from lerobot.motors.virtual import Fault, Sweeper, VirtualBus

READ, SYNC_READ = 0x02, 0x82

INVERTED = {
    "left": "thumb_cmc thumb_mcp thumb_dip index_radial_flexor index_pip_dip middle_radial_flexor middle_pip_dip "
    "ring_radial_flexor ring_pip_dip pinky_radial_flexor",
    "right": "thumb_mcp thumb_dip index_ulnar_flexor middle_ulnar_flexor ring_ulnar_flexor ring_pip_dip "
    "pinky_ulnar_flexor pinky_pip_dip",
}
"""Joints of each hand that huggingface/lerobot inverts."""

ROBOT_DEFAULTS = {
    "disable_torque_on_disconnect": True,
    "max_relative_target": None,
    "cameras": {},
    "id": None,
    "calibration_dir": None,
}


@pytest.mark.parametrize(
    ("kind", "name", "given", "defaults"),
    [
        ("robot", "hope_jr_arm", {}, ROBOT_DEFAULTS),
        ("robot", "hope_jr_hand", {"side": "left"}, ROBOT_DEFAULTS),
        ("teleoperator", "homunculus_arm", {}, {"baud_rate": 115_200, "id": None, "calibration_dir": None}),
        (
            "teleoperator",
            "homunculus_glove",
            {"side": "left"},
            {"baud_rate": 115_200, "id": None, "calibration_dir": None},
        ),
    ],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, given: dict, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="/dev/ttyUSB0", **given)
    assert config.model_dump(exclude={"type", "port", "side"}) == defaults


def test_a_hand_is_left_or_right() -> None:
    with pytest.raises(ValidationError, match="'left' or 'right'"):
        HopeJRHandConfig(port="x", side="both")


def packets_of(line: VirtualBus, codes: set[int]) -> list[tuple[int, list[int]]]:
    """Instruction and motors of the packets since the last call."""
    found = []
    for packet in line.packets():
        instruction = FeetechServo.framing.take(bytearray(packet))
        assert instruction is not None
        if instruction.code in codes:
            asked = list(instruction.parameters[2:]) if instruction.code == SYNC_READ else [instruction.id]
            found.append((instruction.code, asked))
    return found


def test_an_arm_is_calibrated_and_driven(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line = start("hope_jr_arm", calibrated=False)
    config = HopeJRArmConfig(port=line.port, id="left", calibration_dir=tmp_path)
    arm = HopeJRArm(config, prompter=Sweeper([line]))
    arm.connect()
    found = load_calibration(tmp_path / "left.json")
    assert [entry.range_max - entry.range_min for entry in found.values()] == [2000] * 7
    for servo in line.spec.servos:
        state = line.state(servo.id)
        assert (state["Maximum_Acceleration"], state["Acceleration"], state["Return_Delay_Time"]) == (30, 30, 0)
    assert arm.send_action({"elbow_flex.pos": 150.0}) == {"elbow_flex.pos": 100.0}
    arm.disconnect()
    assert not any(line.state(servo.id)["Torque_Enable"] for servo in line.spec.servos)


def test_the_motor_of_another_model_is_read_alone_and_comes_first(
    start: Callable[..., VirtualBus], calibrations: Path
) -> None:
    line = start("hope_jr_arm")
    config = HopeJRArmConfig(port=line.port, id="hope_jr_arm", calibration_dir=calibrations, max_relative_target=10.0)
    with HopeJRArm(config) as arm:
        line.packets()
        observation = arm.get_observation()
        assert packets_of(line, {READ, SYNC_READ}) == [(SYNC_READ, [2, 3, 4, 5, 6, 7]), (READ, [1])]
        assert list(observation) == list(arm.observation_features)
        assert next(iter(observation)) == "shoulder_pitch.pos"
        sent = arm.send_action({"shoulder_pitch.pos": 50.0, "wrist_yaw.pos": -50.0})
        assert packets_of(line, {READ, SYNC_READ}) == [(SYNC_READ, [6]), (READ, [1])]
        assert sent == pytest.approx({"shoulder_pitch.pos": 10.0, "wrist_yaw.pos": -10.0}, abs=0.2)


def test_firmware_may_differ_between_models_only(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("hope_jr_arm")
    assert line.state(1)["Firmware_Minor_Version"] != line.state(2)["Firmware_Minor_Version"]
    arm = HopeJRArm(HopeJRArmConfig(port=line.port, id="hope_jr_arm", calibration_dir=calibrations))
    arm.connect()
    arm.disconnect()
    line.fault(3, Fault.WRONG_FIRMWARE)
    with pytest.raises(MotorError, match=r"shoulder_roll 3\.1, .*wrist_pitch 3\.10") as caught:
        arm.connect()
    assert "sts3250" in caught.value.expected
    assert "shoulder_pitch" not in caught.value.what


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_is_calibrated_and_driven(start: Callable[..., VirtualBus], tmp_path: Path, side: str) -> None:
    line = start("hope_jr_hand", calibrated=False)
    config = HopeJRHandConfig(port=line.port, side=side, id="me", calibration_dir=tmp_path)
    hand = HopeJRHand(config, prompter=Sweeper([line]))
    hand.connect()
    found = load_calibration(tmp_path / "me.json")
    assert {name for name, entry in found.items() if entry.drive_mode} == set(INVERTED[side].split())
    assert {(entry.homing_offset, entry.range_min, entry.range_max) for entry in found.values()} == {(0, 200, 900)}
    assert (line.state(16)["Min_Position_Limit"], line.state(16)["Max_Position_Limit"]) == (200, 900)
    assert line.state(1)["Acceleration"] == 254
    assert hand.send_action({"thumb_mcp.pos": 130.0, "thumb_pip.pos": 100.0}) == {
        "thumb_mcp.pos": 100.0,
        "thumb_pip.pos": 100.0,
    }
    assert (line.state(2)["Goal_Position"], line.state(3)["Goal_Position"]) == (200, 900), "thumb_mcp is inverted"
    hand.disconnect()
    assert not any(line.state(servo.id)["Torque_Enable"] for servo in line.spec.servos)


def test_motors_are_set_up_from_the_wrist_and_from_the_thumb() -> None:
    arm = HopeJRArm(HopeJRArmConfig(port="x"))
    hand = HopeJRHand(HopeJRHandConfig(port="x", side="left"))
    assert (arm.setup_order()[0], arm.setup_order()[-1]) == ("wrist_pitch", "shoulder_pitch")
    assert (hand.setup_order()[0], hand.setup_order()[-1]) == ("thumb_cmc", "pinky_pip_dip")


def test_an_arm_and_a_hand_live_in_one_process(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    """Their protocols order bytes differently."""
    lines = start("hope_jr_arm"), start("hope_jr_hand")
    arm = HopeJRArm(HopeJRArmConfig(port=lines[0].port, id="hope_jr_arm", calibration_dir=calibrations))
    hand = HopeJRHand(
        HopeJRHandConfig(port=lines[1].port, side="right", id="hope_jr_hand", calibration_dir=calibrations)
    )
    with arm, hand:
        for _ in range(3):
            assert arm.get_observation()["wrist_roll.pos"] == pytest.approx(0, abs=0.2)
            assert hand.get_observation()["ring_pip_dip.pos"] == pytest.approx(50, abs=0.2)


def test_lost_replies_stop_neither(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("hope_jr_hand")
    hand = HopeJRHand(
        HopeJRHandConfig(port=line.port, side="right", id="hope_jr_hand", calibration_dir=calibrations),
        prompter=ScriptedPrompter(),
    )
    with hand:
        for servo in line.spec.servos:
            line.fault(servo.id, Fault.CORRUPT, 0.05)
        for _ in range(10):
            assert len(hand.get_observation()) == 16
        assert hand.bus.statistics.corrupt
