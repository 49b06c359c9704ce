"""What an arm of capsules is made from: published files, shapes, a file of capsules; and what does not fit."""

import math

import pytest

from lerobot.core.errors import ConfigError
from lerobot.core.safety.config import Box, Workspace
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.config import LinksConfig
from lerobot.kinematics.links import Links
from lerobot.kinematics.model_file import read_links

SO101 = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")


def features():
    joints = {f"{name}.pos": FeatureSpec(unit="deg", range=(-110, 110)) for name in SO101}
    return {**joints, "gripper.pos": FeatureSpec(unit="percent", range=(0, 100))}


def links(workspace, **fields):
    return Links(LinksConfig(file="so101", **fields), features(), workspace)


@pytest.mark.parametrize(
    ("name", "end", "joints"),
    [
        ("so101_new_calib.urdf", "gripper_frame_link", {}),
        ("so100_follower__cb9fd234.urdf", "jaw", {}),
        ("koch_follower__bd49c341.urdf", "ee_frame", None),
        ("so_arm100_menagerie.xml", "link_5", {"shoulder_pan": "joint_1", "elbow_flex": "joint_3"}),
        ("so101_new_calib.xml", "gripper", {}),
    ],
)
def test_published_files_are_read_without_their_meshes(urdfs, name, end, joints):
    model, _ = read_links(str(urdfs / name))
    assert model.nmesh == 0
    if joints is None or not joints:
        hinges = [model.joint(joint).name for joint in range(model.njnt)]
        joints = {f"motor{number}": hinge for number, hinge in enumerate(hinges)}
    robot = {f"{motor}.pos": FeatureSpec(unit="rad") for motor in joints}
    judge = Links(LinksConfig(file=str(urdfs / name), end_effector=end, joints=joints), robot, Workspace(table_z=-1.0))
    assert list(judge.keys) == list(robot)
    assert all(0 < reach < 1.5 for reach in judge.reach_m[:1])
    deep = Links(
        LinksConfig(file=str(urdfs / name), end_effector=end, joints=joints), robot, Workspace(table_z=5.0)
    ).outside([0.0] * len(robot))
    assert deep["table"] > 4


def test_shapes_of_a_file_are_enclosed(tmp_path):
    """A box of 2 x 4 x 20 cm lies in a capsule; the capsule's ends tell where."""
    file = tmp_path / "arm.urdf"
    file.write_text("""<robot name="a"><link name="base"/><link name="tool"><collision>
      <origin xyz="0 0 0.2" rpy="0 0 0"/><geometry><box size="0.02 0.04 0.2"/></geometry></collision></link>
      <joint name="turn" type="revolute"><parent link="base"/><child link="tool"/><origin xyz="0 0 0.1" rpy="0 0 0"/>
      <axis xyz="0 1 0"/><limit lower="-3" upper="3" effort="1" velocity="1"/></joint></robot>""")
    config = LinksConfig(file=str(file), end_effector="tool")
    robot = {"turn.pos": FeatureSpec(unit="deg")}
    radius = math.hypot(0.01, 0.02)
    judge = Links(config, robot, Workspace(table_z=0.0, margin_m=0.0))
    assert judge.outside([0.0]) == {}
    # Upside down its far end is 0.1 - 0.2 - 0.1, and as much lower as the capsule is thick.
    assert judge.outside([180.0])["table"] == pytest.approx(0.2 + radius)


def test_a_file_of_capsules_takes_the_place_of_lengths(tmp_path):
    file = tmp_path / "capsules.yaml"
    file.write_text("links: {wrist_link: [], gripper_link: [{start: [0, 0, 0], end: [0, 0, 0], radius: 0.2}]}")
    wide = links(Workspace(table_z=0.0, self_collision=False), capsules=file)
    pose = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert wide.outside(pose) == {}, "the gripper is 22 cm above the base"
    file.write_text("links: {gripper_link: [{start: [0, 0, 0], end: [0, 0, 0], radius: 0.3}]}")
    assert links(Workspace(table_z=0.0, self_collision=False), capsules=file).outside(pose).keys() == {"table"}


def test_the_whole_arm_may_be_kept_in_the_box():
    box = Box(z=(0.0, 0.26))
    pose = [0.0] * 6  # the end is 0.226 m high
    assert links(Workspace(box=box)).outside(pose) == {}
    assert links(Workspace(box=box, whole_arm=True)).outside(pose).keys() == {"workspace z high"}


@pytest.mark.parametrize(
    ("config", "robot", "what"),
    [
        (
            {"file": "so102"},
            features(),
            "--safety.model.file: got 'so102', expected a URDF or MJCF file, or one of so101",
        ),
        ({"file": "so101", "end_effector": "hand"}, features(), "--safety.model.end_effector: got 'hand'"),
        ({"file": "so101", "joints": {"a": "b"}}, features(), "--safety.model.joints: got 'b', expected one of the"),
        ({"file": "so101"}, {"x.pos": FeatureSpec(unit="deg")}, "expected motors named as its joints"),
        (
            {"file": "so101"},
            {"elbow_flex.pos": FeatureSpec(unit="m100")},
            "expected elbow_flex.pos in rad or deg, not in m100 (Set use_degrees=true",
        ),
        ({"file": "so101", "capsules": "/nowhere.yaml"}, features(), "--safety.model.capsules: got '/nowhere.yaml'"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(config, robot, what):
    with pytest.raises(ConfigError) as caught:
        Links(LinksConfig(**config), robot, Workspace())
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_arm_is_refused(tmp_path):
    file = tmp_path / "arm.urdf"
    file.write_text("<robot")
    with pytest.raises(ConfigError, match=r"--safety.model.file"):
        Links(LinksConfig(file=str(file)), features(), Workspace())
