"""What is particular to Koch arms: modes, gains, a reversed elbow, a trigger, turns that are counted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.koch.bimanual import BiKochFollower
from lerobot.koch.config import BiKochFollowerConfig, KochFollowerConfig, KochLeaderConfig
from lerobot.koch.follower import KochFollower
from lerobot.koch.leader import KochLeader
from lerobot.motors import load_calibration
from lerobot.motors.arms import UnitFollowerFields
from lerobot.motors.virtual import Sweeper, VirtualBus

FOLLOWER_DEFAULTS = {
    "disable_torque_on_disconnect": True,
    "max_relative_target": None,
    "cameras": {},
    "use_degrees": False,
    "id": None,
    "calibration_dir": None,
}
LEADER_DEFAULTS = {"gripper_open_pos": 50.0, "id": None, "calibration_dir": None}


@pytest.mark.parametrize(
    ("kind", "name", "defaults"),
    [("robot", "koch_follower", FOLLOWER_DEFAULTS), ("teleoperator", "koch_leader", LEADER_DEFAULTS)],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="/dev/ttyUSB0")
    assert config.model_dump(exclude={"type", "port"}) == defaults


def test_a_follower_is_calibrated_and_driven(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line = start("koch", calibrated=False)
    sweeper = Sweeper([line])
    arm = KochFollower(KochFollowerConfig(port=line.port, id="black", calibration_dir=tmp_path), prompter=sweeper)
    arm.connect()
    assert sweeper.asked == ["Move black KochFollower to the middle of its range of motion and press ENTER...."]
    assert "Move all joints except ['shoulder_pan', 'wrist_roll'] sequentially" in sweeper.said[0]
    found = load_calibration(tmp_path / "black.json")
    assert {name: (entry.drive_mode, entry.range_max - entry.range_min) for name, entry in found.items()} == {
        name: (0, 4095 if name in {"shoulder_pan", "wrist_roll"} else 2700) for name in line.spec.names
    }
    assert [line.state(i)["Operating_Mode"] for i in range(1, 7)] == [4, 4, 4, 4, 4, 5]
    assert [line.state(3)[f"Position_{gain}_Gain"] for gain in "PID"] == [1500, 0, 600]
    assert arm.get_observation()["elbow_flex.pos"] == pytest.approx(0, abs=0.2)
    assert arm.send_action({"elbow_flex.pos": 250.0}) == {"elbow_flex.pos": 100.0}
    assert line.state(3)["Goal_Position"] == found["elbow_flex"].range_max, "an extended servo would go anywhere"
    arm.disconnect()
    assert [line.state(i)["Torque_Enable"] for i in range(1, 7)] == [0] * 6


def test_degrees_are_held_inside_the_travel(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("koch")
    config = KochFollowerConfig(port=line.port, id="black", calibration_dir=calibrations, use_degrees=True)
    with KochFollower(config) as arm:
        sent = arm.send_action({"elbow_flex.pos": 300.0})["elbow_flex.pos"]
        assert sent == pytest.approx((3100 - 900) * 180 / 4095)
        assert line.state(3)["Goal_Position"] == pytest.approx(3100, abs=1)


def test_the_elbow_of_a_leader_counts_the_other_way(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line = start("koch_leader", calibrated=False)
    config = KochLeaderConfig(port=line.port, id="blue", calibration_dir=tmp_path)
    arm = KochLeader(config, prompter=Sweeper([line]))
    arm.connect()
    assert line.state(3)["Drive_Mode"] == 1
    found = load_calibration(tmp_path / "blue.json")
    assert [entry.drive_mode for entry in found.values()] == [0, 0, 1, 0, 0, 0]
    line.move({3: -700.0, 4: 3400.0})
    action = arm.get_action()
    assert (action["elbow_flex.pos"], action["wrist_flex.pos"]) == pytest.approx((-100.0, 100.0), abs=0.2)
    arm.disconnect()


def test_the_drive_mode_of_a_file_is_written(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    """Else the motors never hold what the file says, and the question comes back at every start."""
    line = start("koch_leader", calibrated=False)
    config = KochLeaderConfig(port=line.port, id="blue", calibration_dir=calibrations)
    with KochLeader(config, prompter=ScriptedPrompter([""])) as arm:
        assert arm.is_calibrated
    again = ScriptedPrompter()
    with KochLeader(config, prompter=again):
        assert again.asked == []


def test_the_trigger_springs_open(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("koch_leader")
    config = KochLeaderConfig(port=line.port, id="blue", calibration_dir=calibrations, gripper_open_pos=75.0)
    with KochLeader(config) as arm:
        assert [line.state(i)["Torque_Enable"] for i in range(1, 7)] == [0, 0, 0, 0, 0, 1]
        # It swings a count past its goal at a speed that does not count as moving, and back.
        while arm.get_action()["gripper.pos"] != pytest.approx(75.0):
            pass
        arm.enable_torque()
        assert all(line.state(i)["Torque_Enable"] for i in range(1, 7))
        arm.disable_torque()
        assert [line.state(i)["Torque_Enable"] for i in range(1, 7)] == [0, 0, 0, 0, 0, 1]
    assert not line.state(6)["Torque_Enable"]


def test_a_joint_switched_on_a_turn_away_stops_the_run(start: Callable[..., VirtualBus], calibrations: Path) -> None:
    line = start("koch")
    config = KochFollowerConfig(port=line.port, id="black", calibration_dir=calibrations)
    arm = KochFollower(config)
    arm.bus.connect()
    for name in line.spec.names:
        arm.bus.write("Operating_Mode", name, 4)
    # The seam lies inside the travel of this one: on the other side of it, the position begins again at 0.
    arm.bus.calibration["shoulder_lift"].homing_offset = -4200
    arm.bus.write("Homing_Offset", "shoulder_lift", -4200)
    arm.bus.disconnect(disable_torque=False)
    with pytest.raises(CalibrationError, match=r"'shoulder_lift' reports -22[0-9]{2}, a turn away") as caught:
        arm.connect()
    assert "middle of its travel" in caught.value.hint
    assert [line.state(i)["Torque_Enable"] for i in range(1, 7)] == [0] * 6


def test_calibrations_are_where_the_peer_keeps_them(lerobot_home: Path) -> None:
    arms = [KochFollower(KochFollowerConfig(port="x", id="black")), KochLeader(KochLeaderConfig(port="x", id="black"))]
    folders = [arm.calibration_path.relative_to(lerobot_home / "calibration") for arm in arms]
    assert folders == [Path("robots/koch_follower/black.json"), Path("teleoperators/koch_leader/black.json")]
    arm = UnitFollowerFields(port="x")
    pair = BiKochFollower(BiKochFollowerConfig(id="two", left_arm_config=arm, right_arm_config=arm))
    assert [arm.calibration_path.parts[-2:] for arm in pair.arms.values()] == [
        ("koch_follower", "two_left.json"),
        ("koch_follower", "two_right.json"),
    ]
