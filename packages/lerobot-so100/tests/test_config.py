"""Configurations as command lines and files give them, and pairs of arms."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.so100.bimanual import BiSOFollower, BiSOLeader
from lerobot.so100.config import BiSOFollowerConfig, BiSOLeaderConfig, SOFollowerConfig, SOLeaderConfig

FOLLOWER_DEFAULTS = {
    "disable_torque_on_disconnect": True,
    "max_relative_target": None,
    "cameras": {},
    "use_degrees": True,
    "position_p_coefficient": 16,
    "position_i_coefficient": 0,
    "position_d_coefficient": 32,
    "num_read_retries": 2,
    "id": None,
    "calibration_dir": None,
}
LEADER_DEFAULTS = {"use_degrees": True, "num_read_retries": 2, "id": None, "calibration_dir": None}


@pytest.mark.parametrize(
    ("kind", "name", "defaults"),
    [
        ("robot", "so100_follower", FOLLOWER_DEFAULTS),
        ("robot", "so101_follower", FOLLOWER_DEFAULTS),
        ("teleoperator", "so100_leader", LEADER_DEFAULTS),
        ("teleoperator", "so101_leader", LEADER_DEFAULTS),
    ],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="/dev/ttyACM0")
    assert config.model_dump(exclude={"type", "port"}) == defaults


@pytest.mark.parametrize("name", ["bi_so_follower", "bi_so100_follower"])
def test_a_pair_is_described_by_two_arms(name: str) -> None:
    config = registry.config_class("robot", name).model_validate(
        {"left_arm_config": {"port": "l"}, "right_arm_config": {"port": "r", "use_degrees": False}}
    )
    pair = config.build()
    assert pair.name == "bi_so_follower"
    assert pair.action_features["left_shoulder_pan.pos"].unit == "deg"
    assert pair.action_features["right_shoulder_pan.pos"].unit == "m100"
    assert len(pair.action_features) == 12


def test_camera_names_that_collide_are_refused() -> None:
    camera = {"type": "fake", "width": 64, "height": 48, "fps": 30}
    with pytest.raises(ValidationError, match="left_front"):
        BiSOFollowerConfig.model_validate(
            {
                "left_arm_config": {"port": "l", "cameras": {"front": camera}},
                "right_arm_config": {"port": "r"},
                "cameras": {"left_front": camera},
            }
        )


@pytest.fixture
def pair(start: Callable[[str], VirtualBus], calibrations: Path) -> tuple[BiSOFollower, VirtualBus, VirtualBus]:
    left, right = start("so101"), start("so101")
    config = BiSOFollowerConfig(
        id="black",
        calibration_dir=calibrations,
        left_arm_config=SOFollowerConfig(port=left.port),
        right_arm_config=SOFollowerConfig(port=right.port),
    )
    return BiSOFollower(config), left, right


def test_each_arm_gets_its_own_commands(pair) -> None:
    robot, left, right = pair
    with robot:
        sent = robot.send_action({"left_gripper.pos": 100.0, "right_gripper.pos": 0.0})
        assert sent == {"left_gripper.pos": 100.0, "right_gripper.pos": 0.0}
        assert left.state(6)["Goal_Position"] == 3514
        assert right.state(6)["Goal_Position"] == 2013
        with pytest.raises(FeatureMismatchError, match=r"'gripper\.pos' belongs to no arm"):
            robot.send_action({"gripper.pos": 1.0})


def test_one_lost_arm_does_not_keep_the_other_powered(pair) -> None:
    robot, left, right = pair
    robot.connect()
    left.unplug()
    with pytest.raises(ConnectionError):
        robot.enter_safe_state()
    assert right.state(1)["Torque_Enable"] == 0
    robot.disconnect()


def test_a_diagnosis_names_the_arm(pair) -> None:
    robot, _, right = pair
    right.fault(6, Fault.OVERLOAD)
    (finding,) = robot.diagnose()
    assert (finding.motor, finding.cause) == ("right_gripper", "overload")
    right.unplug()
    (finding,) = robot.diagnose()
    assert (finding.motor, finding.cause) == ("", "port")
    assert finding.what.startswith("right arm: Could not connect on port")


def test_leaders_follow_feedback_while_their_torque_is_on(
    start: Callable[[str], VirtualBus], calibrations: Path
) -> None:
    left, right = start("so101"), start("so101")
    config = BiSOLeaderConfig(
        id="black",
        calibration_dir=calibrations,
        left_arm_config=SOLeaderConfig(port=left.port),
        right_arm_config=SOLeaderConfig(port=right.port),
    )
    with BiSOLeader(config) as leader:
        assert left.state(1)["Torque_Enable"] == 0
        leader.enable_torque()
        leader.send_feedback({"left_gripper.pos": 100.0})
        while left.state(6)["Moving"] or left.state(6)["Present_Position"] < 3500:
            pass
        assert leader.get_action()["left_gripper.pos"] == pytest.approx(100, abs=0.1)
        leader.disable_torque()
        assert [right.state(1)["Torque_Enable"], left.state(1)["Torque_Enable"]] == [0, 0]


def test_two_devices_on_one_port_are_refused_before_anything_is_opened(tmp_path: Path) -> None:
    """Also under two names of it, as udev gives them."""
    port, twin, other = tmp_path / "ttyACM0", tmp_path / "by-id", tmp_path / "ttyACM1"
    port.touch()
    twin.symlink_to(port)
    for command in ("teleoperate", "record", "find-joint-limits"):
        line = ["--robot.type=so101_follower", f"--robot.port={port}", "--teleop.type=so101_leader"]
        line += ["--dataset.repo_id=me/cubes"] if command == "record" else []
        model = registry.config_class("command", command)
        load(model, [*line, f"--teleop.port={other}"])
        with pytest.raises(ConfigError, match=r"--robot\.port and --teleop\.port"):
            load(model, [*line, f"--teleop.port={twin}"])


def test_both_arms_of_a_pair_on_one_port_are_refused() -> None:
    line = ["--robot.type=bi_so_follower", "--robot.left_arm_config.port=COM3", "--robot.right_arm_config.port=COM3"]
    load(registry.config_class("command", "calibrate"), [word.replace("COM3", "virtual") for word in line])
    with pytest.raises(ConfigError, match=r"left_arm_config\.port and --robot\.right_arm_config\.port"):
        load(registry.config_class("command", "calibrate"), line)
