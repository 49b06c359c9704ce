"""An arm of Dynamixel servos is a table: a follower like a Koch v1.1, on virtual servos."""

from pathlib import Path

import pytest

from lerobot.dynamixel import DynamixelMotorsBus, OperatingMode
from lerobot.motors import load_calibration
from lerobot.motors.arms import ArmTable, FollowerConfig, Joint, ServoFollower
from lerobot.motors.virtual import VirtualBus

EXTENDED = {"Operating_Mode": OperatingMode.EXTENDED_POSITION.value}
BY_CURRENT = {"Operating_Mode": OperatingMode.CURRENT_POSITION.value}
MODELS = {
    "shoulder_pan": "xl430-w250",
    "shoulder_lift": "xl430-w250",
    "elbow_flex": "xl330-m288",
    "wrist_flex": "xl330-m288",
    "wrist_roll": "xl330-m288",
    "gripper": "xl330-m288",
}


class Config(FollowerConfig):
    target = "this.test:Follower"

    type: str = "follower_of_this_test"


class Follower(ServoFollower):
    name = "follower_of_this_test"
    table = ArmTable(
        DynamixelMotorsBus,
        {
            name: Joint(
                motor_id,
                model,
                speed_deg_s=342.0,
                is_gripper=name == "gripper",
                is_endless=name in {"shoulder_pan", "wrist_roll"},
                settings=BY_CURRENT if name == "gripper" else EXTENDED,
                calibration_settings=EXTENDED,
            )
            for motor_id, (name, model) in enumerate(MODELS.items(), start=1)
        },
    )


class Person:
    """Someone who presses Enter at questions and sweeps all joints from stop to stop."""

    def __init__(self, line: VirtualBus) -> None:
        self.line = line
        self.said: list[str] = []
        self.places = iter([*range(2000, 3401, 200), *range(3400, 699, -300), 700, 2048])

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask(self, text: str) -> str:
        self.said.append(text)
        return ""

    def pressed_enter(self) -> bool:
        place = next(self.places, None)
        if place is not None:
            self.line.move(dict.fromkeys(range(1, 7), place))
        return place is None


def test_an_arm_is_a_table(koch: VirtualBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    config = Config(port=koch.port, id="black", calibration_dir=tmp_path)
    person = Person(koch)
    arm = Follower(config, in_degrees=False, prompter=person)
    arm.connect()

    assert person.said[0] == "Move black Follower to the middle of its range of motion and press ENTER...."
    assert "Move all joints except ['shoulder_pan', 'wrist_roll'] sequentially" in person.said[1]
    found = load_calibration(tmp_path / "black.json")
    assert {name: entry.range_max - entry.range_min for name, entry in found.items()} == {
        name: 4095 if name in {"shoulder_pan", "wrist_roll"} else 3400 - 700 for name in MODELS
    }
    assert [koch.state(i)["Operating_Mode"] for i in range(1, 7)] == [4, 4, 4, 4, 4, 5]
    assert arm.joint_features["gripper.pos"].unit == "percent"
    assert arm.get_observation()["elbow_flex.pos"] == pytest.approx(0, abs=0.2)
    assert arm.send_action({"elbow_flex.pos": 250.0}) == {"elbow_flex.pos": 100.0}
    assert koch.state(3)["Goal_Position"] == found["elbow_flex"].range_max
    arm.disconnect()
    assert [koch.state(i)["Torque_Enable"] for i in range(1, 7)] == [0] * 6
