"""Calibrations no arm can have: each is refused before a motor's register is written, with every problem named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import MotorCalibration, load_calibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration
from lerobot.so100.bimanual import BiSOFollower
from lerobot.so100.config import BiSOFollowerConfig, SO101FollowerConfig, SO101LeaderConfig, SOFollowerConfig
from lerobot.so100.follower import SOFollower
from lerobot.so100.leader import SOLeader

REPORTED = Path(__file__).resolve().parents[4] / "shared" / "data" / "reports2" / "impossible-calibrations"

JOINTS = "shoulder_pan, shoulder_lift, elbow_flex, wrist_flex, wrist_roll, gripper"

PROBLEMS = {
    "reversed": ["gripper: range_min is 3300; allowed is less than range_max, which is 700"],
    "range5000": ["wrist_roll: range_max is 5000; allowed is 0 to 4095"],
    "negrange": ["wrist_roll: range_min is -200; allowed is 0 to 4095"],
    "homing": ["gripper: homing_offset is 2114; allowed is -2047 to 2047"],
    "dup": [
        "elbow_flex: id is 2, which shoulder_lift has; allowed is one id per motor",
        "elbow_flex: id is 2; allowed is 3, the id of that motor",
    ],
    "swap": [
        "shoulder_lift: id is 3; allowed is 2, the id of that motor",
        "elbow_flex: id is 2; allowed is 3, the id of that motor",
    ],
    "missing": [f"gripper: it has no entry; allowed is one for each of {JOINTS}"],
    "extra": [f"joint7: there is no such motor; allowed are {JOINTS}"],
}


@pytest.fixture
def reported(tmp_path: Path) -> Path:
    if not REPORTED.is_dir():
        pytest.skip("the shared reports are not here")
    return Path(shutil.copytree(REPORTED, tmp_path / "reported"))


def entries(path: Path) -> dict[str, MotorCalibration]:
    """Content of a file that `load_calibration` refuses."""
    return {name: MotorCalibration(**entry) for name, entry in json.loads(path.read_text()).items()}


def told(path: Path, problems: list[str]) -> str:
    return "\n".join(f"{path}: {problem}" for problem in problems)


def held(line: VirtualBus) -> list[dict[str, float]]:
    """What the motors hold of a calibration, and whether they have torque."""
    names = ("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit", "Torque_Enable", "Goal_Position")
    return [{name: line.state(servo.id)[name] for name in names} for servo in line.spec.servos]


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(
    ("device", "config"), [(SOFollower, SO101FollowerConfig), (SOLeader, SO101LeaderConfig)], ids=["robot", "teleop"]
)
def test_no_register_is_written(device, config, name: str, reported: Path, arm: VirtualBus) -> None:
    before = held(arm)
    prompter = ScriptedPrompter([""])
    one = device(config(port=arm.port, id=name, calibration_dir=reported), prompter=prompter)
    with pytest.raises(CalibrationError) as caught:
        one.connect()
    assert caught.value.what == told(reported / f"{name}.json", PROBLEMS[name])
    assert prompter.asked == [], "an impossible calibration is not offered"
    assert held(arm) == before
    (finding,) = one.diagnose()
    assert finding.what == caught.value.what


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_bus_refuses_it_too(name: str, reported: Path, arm: VirtualBus) -> None:
    """For whoever writes a calibration without an arm around the bus."""
    calibration = entries(reported / f"{name}.json")
    bus = SOFollower(SO101FollowerConfig(port=arm.port, id="x", calibration_dir=reported)).bus
    bus.connect()
    arm.packets()
    with pytest.raises(CalibrationError) as caught:
        bus.write_calibration(calibration)
    assert caught.value.what == told(Path(f"calibration for port '{arm.port}'"), PROBLEMS[name])
    assert arm.packets() == [], "not even a question is asked"
    assert bus.calibration == {}
    bus.disconnect(disable_torque=False)


@pytest.mark.parametrize("name", sorted(PROBLEMS.keys() - {"missing"}))
def test_a_virtual_arm_cannot_hold_it(name: str, reported: Path) -> None:
    with pytest.raises(CalibrationError) as caught:
        with_calibration(ARMS["so101"], entries(reported / f"{name}.json"))
    assert PROBLEMS[name][-1] in caught.value.what


def test_a_pair_writes_to_neither_arm(reported: Path, start: Callable[[str], VirtualBus]) -> None:
    """The left arm's calibration is possible and differs from what its motors hold."""
    left, right = VirtualBus(ARMS["so101"]), start("so101")
    shutil.copy(reported / "reversed.json", reported / "two_right.json")
    possible = {name: entry for name, entry in entries(reported / "extra.json").items() if name != "joint7"}
    save_calibration(reported / "two_left.json", possible)
    before = held(left)
    arms = [SOFollowerConfig(port=line.port) for line in (left, right)]
    config = BiSOFollowerConfig(id="two", calibration_dir=reported, left_arm_config=arms[0], right_arm_config=arms[1])
    with pytest.raises(CalibrationError, match=r"two_right.json: gripper: range_min is 3300"):
        BiSOFollower(config, prompter=ScriptedPrompter([""])).connect()
    assert held(left) == before
    left.close()


def test_a_new_calibration_replaces_it(reported: Path, arm: VirtualBus, sweeper: Callable, monkeypatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    config = SO101FollowerConfig(port=arm.port, id="reversed", calibration_dir=reported)
    robot = SOFollower(config, prompter=sweeper([arm]))
    robot.connect(calibrate=False)
    assert [line["Torque_Enable"] for line in held(arm)] == [0] * 6, "nothing is driven by it"
    robot.calibrate()
    assert robot.is_calibrated
    assert load_calibration(reported / "reversed.json", robot.bus.calibration_limits) == robot.bus.calibration
    robot.disconnect()
