"""The chain of a URDF: against placo, and against the file evaluated by hand."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from lerobot.core.errors import ConfigError
from lerobot.kinematics.arm import Arm
from lerobot.kinematics.config import KinematicsConfig

PUBLISHED = {
    "so101_new_calib.urdf": "gripper_frame_link",
    "so101_old_calib.urdf": "gripper_link",
    "so100_follower__cb9fd234.urdf": "jaw",
    "koch_follower__bd49c341.urdf": "ee_frame",
}


def turned(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def numbers(text: str) -> np.ndarray:
    return np.array([float(part) for part in text.split()])


def place_by_hand(urdf: ET.Element, end: str, angles: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Place of a link in the base's frame: the joints' transforms from the base on, one after the other."""
    chain: list[ET.Element] = []
    while joint := next((one for one in urdf.findall("joint") if one.find("child").get("link") == end), None):
        chain.insert(0, joint)
        end = joint.find("parent").get("link")
    place, axes = np.zeros(3), np.eye(3)
    for joint in chain:
        roll, pitch, yaw = numbers(joint.find("origin").get("rpy"))
        place = place + axes @ numbers(joint.find("origin").get("xyz"))
        x, y, z = np.eye(3)
        axes = axes @ turned(z, yaw) @ turned(y, pitch) @ turned(x, roll)
        if joint.get("type") != "fixed":
            axes = axes @ turned(numbers(joint.find("axis").get("xyz")), angles[joint.get("name")])
    return place, axes


def test_the_end_is_where_placo_puts_it(arm: Arm, golden) -> None:
    for case in golden:
        position, rotation = arm.place(np.radians(case["joints"]))
        assert np.abs(position - case["pose"][:, 3]).max() < 1e-9
        assert np.abs(rotation - case["pose"][:, :3]).max() < 1e-9


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_end_is_where_the_file_puts_it(urdfs, name: str) -> None:
    robot = ET.parse(urdfs / name).getroot()
    ends = [joint.find("child").get("link") for joint in robot.findall("joint")]
    rng = np.random.default_rng(0)
    for end in ends:
        arm = Arm(KinematicsConfig(urdf_path=str(urdfs / name), target_frame_name=end))
        for _ in range(5):
            joints = rng.uniform(-1.5, 1.5, len(arm.joint_names))
            position, rotation = arm.place(joints)
            expected = place_by_hand(robot, end, dict(zip(arm.joint_names, joints, strict=True)))
            assert np.abs(position - expected[0]).max() < 1e-9
            assert np.abs(rotation - expected[1]).max() < 1e-9


def test_the_model_that_comes_along_is_the_published_one(arm: Arm, urdfs) -> None:
    published = Arm(KinematicsConfig(urdf_path=str(urdfs / "so101_new_calib.urdf")))
    assert arm.joint_names == published.joint_names
    assert (arm.low == published.low).all()
    assert (arm.high == published.high).all()
    joints = np.random.default_rng(1).uniform(arm.low, arm.high, (20, 5))
    for one in joints:
        for ours, theirs in zip(arm.place(one), published.place(one), strict=True):
            assert np.abs(ours - theirs).max() < 1e-12


def test_pointing_down_the_grasp_frame_is_parallel_to_the_base(arm: Arm) -> None:
    grasp = Arm(KinematicsConfig(urdf_path="so101", target_frame_name="grasp_link"))
    down = np.radians([0, -40, 40, 90, 0])
    position, rotation = grasp.place(down)
    assert position == pytest.approx(arm.place(down)[0])
    assert np.degrees(np.arccos((np.trace(rotation) - 1) / 2)) < 3


def test_the_jacobian_is_the_derivative_of_the_place(arm: Arm) -> None:
    joints, small = np.array([0.3, -0.5, 0.7, 0.2, -0.4]), 1e-6
    position, rotation = arm.place(joints)
    jacobian = arm.jacobian().copy()
    for index in range(5):
        moved = joints.copy()
        moved[index] += small
        there, turned = arm.place(moved)
        spin = (turned @ rotation.T - np.eye(3)) / small
        assert jacobian[:3, index] == pytest.approx((there - position) / small, abs=1e-5)
        assert jacobian[3:, index] == pytest.approx([spin[2, 1], spin[0, 2], spin[1, 0]], abs=1e-5)


def test_joints_may_be_given_in_the_order_of_the_motors(arm: Arm) -> None:
    names = [*reversed(arm.joint_names)]
    other = Arm(KinematicsConfig(urdf_path="so101", joint_names=names))
    joints = np.array([0.3, -0.5, 0.7, 0.2, -0.4])
    assert other.place(joints[::-1])[0] == pytest.approx(arm.place(joints)[0], abs=1e-12)
    assert (other.low == arm.low[::-1]).all()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"urdf_path": "nothing.urdf"}, "kinematics.urdf_path.*nothing.urdf.*so101"),
        ({"urdf_path": "so101", "target_frame_name": "hand"}, "target_frame_name.*hand.*gripper_frame_link"),
        ({"urdf_path": "so101", "joint_names": ["shoulder_pan"]}, "joint_names.*shoulder_pan.*elbow_flex"),
    ],
)
def test_what_is_not_there_is_named(given, told) -> None:
    with pytest.raises(ConfigError, match=told):
        Arm(KinematicsConfig(**given))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<robot", "a URDF file"),
        ("<robot name='x'/>", "target_frame_name|a URDF file"),
        (
            "<robot name='x'><link name='a'/><link name='b'/><joint name='slide' type='prismatic'><parent link='a'/>"
            "<child link='b'/><axis xyz='0 0 1'/><limit lower='0' upper='1' effort='1' velocity='1'/></joint></robot>",
            "joints that turn; slide does not",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text: str, told: str) -> None:
    file = tmp_path / "arm.urdf"
    file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        Arm(KinematicsConfig(urdf_path=str(file), target_frame_name="b"))


def test_a_joint_without_limits_turns_freely(tmp_path) -> None:
    file = tmp_path / "arm.urdf"
    file.write_text(
        "<robot name='x'><link name='a'/><link name='b'/><joint name='turn' type='continuous'><parent link='a'/>"
        "<child link='b'/><origin xyz='1 0 0'/><axis xyz='0 0 1'/></joint></robot>"
    )
    arm = Arm(KinematicsConfig(urdf_path=str(file), target_frame_name="b"))
    assert (arm.low[0], arm.high[0]) == (-np.inf, np.inf)
    position, rotation = arm.place(np.array([7.0]))
    assert position == pytest.approx([1, 0, 0])
    assert rotation[1, 0] == pytest.approx(np.sin(7.0))
