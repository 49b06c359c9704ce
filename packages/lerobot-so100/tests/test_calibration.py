"""Calibration of an arm: files where others keep them, questions as others ask them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lerobot.core.commands.calibrate import CalibrateConfig
from lerobot.core.devices.command import calibrate
from lerobot.core.errors import CalibrationError, LeRobotError
from lerobot.core.prompts import TerminalPrompter
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import load_calibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus
from lerobot.so100.bimanual import BiSOFollower
from lerobot.so100.config import (
    BiSOFollowerConfig,
    SO100FollowerConfig,
    SO101FollowerConfig,
    SO101LeaderConfig,
    SOFollowerConfig,
)
from lerobot.so100.follower import SOFollower
from lerobot.so100.leader import SOLeader
from lerobot.so100.tables import FOLLOWER


@pytest.fixture(autouse=True)
def _quick(monkeypatch, lerobot_home) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)


@pytest.mark.parametrize(
    ("config", "device", "folder"),
    [
        (SO100FollowerConfig(port="x", id="black"), SOFollower, "robots/so_follower"),
        (SO101FollowerConfig(port="x", id="black"), SOFollower, "robots/so101_follower"),
        (SO101FollowerConfig(port="x", id="black"), SOFollower, "robots/so100_follower"),
        (SO101LeaderConfig(port="x", id="black"), SOLeader, "teleoperators/so_leader"),
        (SO101LeaderConfig(port="x", id="black"), SOLeader, "teleoperators/so101_leader"),
    ],
)
def test_existing_files_are_found(config, device, folder, lerobot_home: Path, calibrations: Path) -> None:
    expected = load_calibration(calibrations / "black.json")
    save_calibration(lerobot_home / "calibration" / folder / "black.json", expected)
    arm = device(config)
    assert arm.bus.calibration == expected
    place = "so_follower" if device is SOFollower else "so_leader"
    assert arm.calibration_path == lerobot_home / "calibration" / arm.role / place / "black.json"


def test_each_type_prefers_its_own_former_folder(lerobot_home: Path, calibrations: Path) -> None:
    calibration = load_calibration(calibrations / "black.json")
    for generation, pan in (("so100_follower", 100), ("so101_follower", 101)):
        calibration["shoulder_pan"].homing_offset = pan
        save_calibration(lerobot_home / "calibration" / "robots" / generation / "black.json", calibration)
    for config, pan in ((SO100FollowerConfig, 100), (SO101FollowerConfig, 101)):
        assert SOFollower(config(port="x", id="black")).bus.calibration["shoulder_pan"].homing_offset == pan


def test_an_arm_that_holds_its_calibration_asks_nothing(arm: VirtualBus, calibrations: Path) -> None:
    prompter = ScriptedPrompter()
    config = SO101FollowerConfig(port=arm.port, id="black", calibration_dir=calibrations)
    with SOFollower(config, prompter=prompter):
        assert prompter.asked == []


def test_a_swapped_arm_can_take_the_calibration_of_the_file(start, calibrations: Path) -> None:
    line = VirtualBus(ARMS["so101"])
    prompter = ScriptedPrompter([""])
    config = SO101FollowerConfig(port=line.port, id="black", calibration_dir=calibrations)
    with SOFollower(config, prompter=prompter) as robot:
        assert prompter.asked == [
            "Press ENTER to use provided calibration file associated with the id black, "
            "or type 'c' and press ENTER to run calibration: "
        ]
        assert robot.is_calibrated
    line.power(False)
    line.power(True)
    assert line.state(1)["Homing_Offset"] == 1603, "it is in the EEPROM for good"
    line.close()


def test_a_new_calibration_is_measured_stored_and_used(sweeper, lerobot_home: Path) -> None:
    line = VirtualBus(ARMS["so101"])
    prompter = sweeper([line])
    robot = SOFollower(SO101FollowerConfig(port=line.port, id="new"), prompter=prompter)
    robot.connect(calibrate=True)
    assert prompter.asked == ["Move new SOFollower to the middle of its range of motion and press ENTER...."]
    assert prompter.said[0] == (
        "Move all joints except 'wrist_roll' sequentially through their entire ranges of motion.\n"
        "Recording positions. Press ENTER to stop..."
    )
    path = lerobot_home / "calibration" / "robots" / "so_follower" / "new.json"
    assert prompter.said[-1] == f"Calibration saved to {path}"
    found = load_calibration(path)
    for servo, name in zip(line.spec.servos, line.spec.names, strict=True):
        travel = servo.stops[1] - servo.stops[0]
        assert found[name].range_max - found[name].range_min == (4095 if name == "wrist_roll" else travel)
    assert robot.is_calibrated
    assert line.state(1)["Torque_Enable"] == 1
    robot.disconnect()
    line.close()


def test_c_asks_for_a_new_calibration(arm: VirtualBus, calibrations: Path, sweeper) -> None:
    robot = SOFollower(
        SO101FollowerConfig(port=arm.port, id="black", calibration_dir=calibrations), prompter=sweeper([arm], ["c"])
    )
    robot.connect(calibrate=False)
    before = (calibrations / "black.json").read_text()
    robot.calibrate()
    assert (calibrations / "black.json").read_text() != before
    robot.disconnect()


def test_a_sweep_that_misses_a_joint_is_refused_and_nothing_is_stored(arm: VirtualBus, lerobot_home: Path) -> None:
    robot = SOFollower(SO101FollowerConfig(port=arm.port, id="lazy"), prompter=ScriptedPrompter())
    with pytest.raises(CalibrationError, match="'shoulder_pan' was moved by 0 steps only"):
        robot.connect()
    assert not robot.is_connected
    assert list(lerobot_home.rglob("*.json")) == []


def test_nobody_at_the_terminal_is_an_error_with_a_way_out(arm: VirtualBus) -> None:
    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    robot = SOFollower(SO101FollowerConfig(port=arm.port, id="new"), prompter=Nobody())
    with pytest.raises(CalibrationError, match="is not calibrated, and nobody is at the terminal") as caught:
        robot.connect()
    assert "lerobot calibrate" in caught.value.hint


def test_without_a_person_the_arm_is_not_touched(arm: VirtualBus, lerobot_home: Path, monkeypatch) -> None:
    """Its first question would come when its torque is off already."""
    touched = []
    monkeypatch.setattr(SOFollower, "connect", lambda self, **_: touched.append(self))
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(LeRobotError, match=r"calibrating .* needs somebody at the terminal"):
            calibrate(CalibrateConfig.model_validate({"robot": {"type": "so101_follower", "port": arm.port}}))
    assert touched == []


def test_answers_may_come_from_a_pipe(monkeypatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as answers, os.fdopen(writing, "w") as person:
        monkeypatch.setattr("sys.stdin", answers)
        assert TerminalPrompter().is_there(), "silent, and open"
        person.write("c\n")
        person.close()
        assert TerminalPrompter().is_there()
        assert TerminalPrompter().ask("") == "c"
        assert not TerminalPrompter().is_there()


def test_an_old_file_stops_a_run_but_not_a_calibration(arm: VirtualBus, calibrations: Path, sweeper) -> None:
    path = calibrations / "old.json"
    lists = '"drive_mode": [0], "homing_offset": [1], "start_pos": [2], "end_pos": [3]'
    path.write_text(f'{{{lists}, "calib_mode": ["DEGREE"], "motor_names": ["shoulder_pan"]}}')
    config = SO101FollowerConfig(port=arm.port, id="old", calibration_dir=calibrations)
    robot = SOFollower(config, prompter=sweeper([arm]))
    with pytest.raises(CalibrationError, match=r"lerobot 0\.3 or older"):
        robot.connect()
    robot.connect(calibrate=False)
    robot.calibrate()
    assert robot.is_calibrated
    assert set(load_calibration(path)) == set(robot.bus.motors)
    robot.disconnect()


def test_a_pair_keeps_two_calibrations() -> None:
    arm = SOFollowerConfig(port="x")
    for name in ("duo", None):
        pair = BiSOFollower(BiSOFollowerConfig(id=name, left_arm_config=arm, right_arm_config=arm))
        assert [arm.calibration_path.parts[-2:] for arm in pair.arms.values()] == [
            ("so_follower", f"{name}_left.json"),
            ("so_follower", f"{name}_right.json"),
        ]


def test_motors_are_set_up_from_the_last_to_the_first(monkeypatch, caplog) -> None:
    joints = {name: FOLLOWER.joints[name] for name in ("shoulder_pan", "gripper")}
    monkeypatch.setattr(SOFollower, "table", replace(FOLLOWER, joints=joints))
    line = VirtualBus(ARMS["sts3215"])
    robot = SOFollower(SO101FollowerConfig(port=line.port, id="new"), prompter=ScriptedPrompter())
    robot.setup_motors()
    assert robot.prompter.asked[0] == "Connect the controller board to the 'gripper' motor only and press enter."
    assert robot.prompter.said == [
        "'gripper' motor id set to 6",
        "'shoulder_pan' motor id set to 1",
    ]
    assert line.state(1)["ID"] == 1
    robot.disconnect()
    assert caplog.text == "", "motors that are not connected are not missed"
    line.close()


def test_another_arm_is_noticed_and_named(arm: VirtualBus, calibrations: Path) -> None:
    """The arm holds the calibration of black; somebody plugs it in where blue belongs."""
    blue = load_calibration(calibrations / "black.json")
    blue["shoulder_pan"].homing_offset += 100
    save_calibration(calibrations / "blue.json", blue)
    for name in ("black_left", "black_right", "blue_left", "blue_right"):
        (calibrations / f"{name}.json").unlink()
    config = SO101FollowerConfig(port=arm.port, id="blue", calibration_dir=calibrations)
    line = (
        f"another arm is plugged in: its motors hold the calibration of {(calibrations / 'black.json').resolve()}, "
        f"not that of {calibrations / 'blue.json'}."
    )
    (finding,) = SOFollower(config).diagnose()
    assert (finding.cause, finding.what) == ("calibration", line)

    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    prompter = Nobody()
    robot = SOFollower(config, prompter=prompter)
    with pytest.raises(CalibrationError) as caught:
        robot.connect()
    assert line in caught.value.what
    assert prompter.said == [f"so_follower(blue): {line}"]
    assert arm.state(1)["Homing_Offset"] == 1603, "nothing was written"


def test_the_identity_is_kept_once_file_and_arm_agree(arm: VirtualBus, calibrations: Path) -> None:
    before = (calibrations / "black.json").read_bytes()
    with SOFollower(SO101FollowerConfig(port=arm.port, id="black", calibration_dir=calibrations)):
        pass
    assert '"gripper": "sts3215 3.10"' in (calibrations / "black.identity").read_text()
    assert (calibrations / "black.json").read_bytes() == before


def test_an_arm_without_a_calibration_is_a_finding(arm: VirtualBus, calibrations: Path) -> None:
    config = SO101FollowerConfig(port=arm.port, id="new", calibration_dir=calibrations)
    (finding,) = SOFollower(config).diagnose()
    assert finding.what == f"there is no calibration file {calibrations / 'new.json'}."
    (calibrations / "new.json").write_text("{")
    (finding,) = SOFollower(config).diagnose()
    assert "is no JSON" in finding.what
