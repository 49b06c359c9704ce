"""Workspace and collisions: against numpy on the URDF, and behind the gate against a million hostile commands."""

import itertools
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.safety.config import Box, Plane, Workspace
from lerobot.core.types import FeatureSpec
from lerobot.kinematics import arm as package
from lerobot.kinematics.config import LinksConfig
from lerobot.kinematics.links import Links

MODELS = Path(package.__file__).parent / "models"
SO101 = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
JAW = (-0.174533, 1.74533)
RADIUS, MARGIN = 0.03, 0.01
BOX = Box(x=(0.05, 0.35), y=(-0.2, 0.25), z=(-0.05, 0.4))
WALL = Plane(normal=(-2, 0, 0), offset=-0.42)
WORKSPACE = Workspace(box=BOX, planes=[WALL], table_z=0.0, margin_m=MARGIN)
EXACT_M = 1e-6


# --- by hand ----------------------------------------------------------------------------------------------------------


def numbers(text):
    return np.array([float(part) for part in text.split()])


def turned(axis, angles):
    """Rodrigues' formula for angles `(n,)`: `(n, 3, 3)`."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sin, cos = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sin * cross + (1 - cos) * (cross @ cross)


class ByHand:
    """Frames and capsules of every link of a URDF, in the base's frame."""

    def __init__(self, path: Path):
        robot = ET.parse(path).getroot()
        self.joints = {joint.find("child").get("link"): joint for joint in robot.findall("joint")}
        links = [link.get("name") for link in robot.findall("link")]
        (self.base,) = [link for link in links if link not in self.joints]
        self.links = links

    def frames(self, angles: dict[str, np.ndarray]):
        """Place `(n, 3)` and axes `(n, 3, 3)` of each link, for angles `(n,)` by joint."""
        count = len(next(iter(angles.values())))
        known = {self.base: (np.zeros((count, 3)), np.tile(np.eye(3), (count, 1, 1)))}

        def frame(link):
            if link not in known:
                joint = self.joints[link]
                place, axes = frame(joint.find("parent").get("link"))
                origin = joint.find("origin")
                roll, pitch, yaw = numbers(origin.get("rpy"))
                place = place + axes @ numbers(origin.get("xyz"))
                x, y, z = np.eye(3)
                fixed = turned(z, np.array([yaw])) @ turned(y, np.array([pitch])) @ turned(x, np.array([roll]))
                axes = axes @ fixed
                if joint.get("type") != "fixed":
                    axis = numbers(joint.find("axis").get("xyz"))
                    axes = axes @ turned(axis, angles.get(joint.get("name"), np.zeros(count)))
                known[link] = place, axes
            return known[link]

        return {link: frame(link) for link in self.links}

    def ends(self, frames, link, capsule):
        """Both ends of a capsule's axis: `(n, 3)` each."""
        place, axes = frames[link]
        return place + axes @ np.array(capsule["start"], float), place + axes @ np.array(capsule["end"], float)


def point_to_segment(point, start, end):
    way = end - start
    length = np.maximum((way * way).sum(-1), 1e-300)
    share = np.clip(((point - start) * way).sum(-1) / length, 0, 1)
    return np.linalg.norm(point - start - share[:, None] * way, axis=-1)


def segment_to_segment(a, b, c, d):
    """Distance of the segments a-b and c-d: an end is nearest, or both nearest points lie inside."""
    nearest = np.minimum.reduce(
        [point_to_segment(a, c, d), point_to_segment(b, c, d), point_to_segment(c, a, b), point_to_segment(d, a, b)]
    )
    u, v, w = b - a, d - c, a - c
    uu, uv, vv, uw, vw = ((x * y).sum(-1) for x, y in ((u, u), (u, v), (v, v), (u, w), (v, w)))
    steep = uu * vv - uv * uv
    with np.errstate(divide="ignore", invalid="ignore"):
        s, t = (uv * vw - vv * uw) / steep, (uu * vw - uv * uw) / steep
    inside = (steep > 1e-12) & (s > 0) & (s < 1) & (t > 0) & (t < 1)
    between = np.linalg.norm(w + s[:, None] * u - t[:, None] * v, axis=-1)
    return np.where(inside, np.minimum(nearest, between), nearest)


def features(joints=SO101):
    return {
        **{f"{name}.pos": FeatureSpec(unit="deg", range=(-110, 110), max_velocity=180) for name in joints},
        "gripper.pos": FeatureSpec(unit="percent", range=(0, 100), max_velocity=200),
    }


def capsules_of_so101():
    """By link: those of the file, and along the links where it has none, written down anew."""
    given = yaml.safe_load((MODELS / "so101.yaml").read_text())["links"]
    robot = ByHand(MODELS / "so101.urdf")
    found = dict(given)
    for child, joint in robot.joints.items():
        parent = joint.find("parent").get("link")
        offset = [float(part) for part in joint.find("origin").get("xyz").split()]
        if parent not in given and math.hypot(*offset) > 1e-3 and child != "grasp_link":
            found.setdefault(parent, []).append({"start": (0, 0, 0), "end": offset, "radius": RADIUS})
    return robot, found


def angles_of_so101(poses):
    """Radians by joint of poses `(n, 6)` in the robot's units."""
    angles = {name: np.radians(poses[:, index]) for index, name in enumerate(SO101)}
    return {**angles, "gripper": JAW[0] + poses[:, 5] / 100 * (JAW[1] - JAW[0])}


NEXT = {
    ("base_link", "shoulder_link"), ("shoulder_link", "upper_arm_link"), ("upper_arm_link", "lower_arm_link"),
    ("lower_arm_link", "wrist_link"), ("wrist_link", "gripper_link"), ("gripper_link", "moving_jaw_so101_v1_link"),
}  # fmt: skip


def depths_by_hand(poses, ignored, workspace=WORKSPACE):
    """How deep each pose is in what it must not touch, metres, by limit: `(n,)` each."""
    robot, capsules = capsules_of_so101()
    frames = robot.frames(angles_of_so101(poses))
    end, _ = frames["gripper_frame_link"]
    depths = {}
    for index, (axis, interval) in enumerate((("x", workspace.box.x), ("y", workspace.box.y), ("z", workspace.box.z))):
        depths[f"workspace {axis} low"] = interval[0] - end[:, index]
        depths[f"workspace {axis} high"] = end[:, index] - interval[1]
    ends = {
        link: [(*robot.ends(frames, link, each), each["radius"]) for each in parts] for link, parts in capsules.items()
    }
    for link, parts in ends.items():
        if link == "base_link":
            continue
        for start, stop, radius in parts:
            lowest = np.minimum(start[:, 2], stop[:, 2]) - radius - MARGIN
            farthest = np.maximum(start[:, 0], stop[:, 0]) + radius + MARGIN
            for name, depth in (("table", workspace.table_z - lowest), ("plane 1", farthest - 0.42)):
                depths[name] = np.maximum(depths.get(name, -np.inf), depth)
    for one, other in itertools.combinations(capsules, 2):
        if (one, other) in NEXT or (other, one) in NEXT or {one, other} in ignored:
            continue
        for (a, b, r), (c, d, q) in itertools.product(ends[one], ends[other]):
            name = frozenset((one, other))
            depth = r + q + MARGIN - segment_to_segment(a, b, c, d)
            depths[name] = np.maximum(depths.get(name, -np.inf), depth)
    return depths


def links(workspace=WORKSPACE, **fields):
    return Links(LinksConfig(file="so101", **fields), features(), workspace)


@pytest.fixture(scope="module")
def ignored():
    """Pairs that touch in most poses: short links with one between them."""
    pairs = [frozenset(pair) for pair in links().never_checked]
    one_between = {
        ("base_link", "upper_arm_link"), ("lower_arm_link", "gripper_link"), ("wrist_link", "moving_jaw_so101_v1_link"),
    }  # fmt: skip
    assert set(pairs) == {frozenset(pair) for pair in one_between}
    return pairs


def random_poses(count, seed=0):
    random = np.random.default_rng(seed)
    return np.column_stack([random.uniform(-110, 110, (count, 5)), random.uniform(0, 100, count)])


def test_depths_are_those_of_the_file_evaluated_by_hand(ignored):
    poses, judge = random_poses(1500), links()
    expected = depths_by_hand(poses, ignored)
    seen = set()
    for index, pose in enumerate(poses):
        found = {
            frozenset(name.split(" meets ")) if " meets " in name else name: depth
            for name, depth in judge.outside(pose.tolist()).items()
        }
        assert found.keys() == {name for name, depths in expected.items() if depths[index] > 0}
        for name, depth in found.items():
            assert depth == pytest.approx(expected[name][index], abs=EXACT_M), name
        seen |= found.keys()
    assert {"table", "plane 1", "workspace x low", "workspace z high"} <= seen
    assert sum(isinstance(name, frozenset) for name in seen) >= 5


def test_no_point_moves_farther_than_the_reach_says():
    judge = links()
    robot, capsules = capsules_of_so101()
    poses = random_poses(300)
    for index, reach in enumerate(judge.reach_m):
        changed = poses.copy()
        changed[:, index] += 0.5
        one, other = (robot.frames(angles_of_so101(each)) for each in (poses, changed))
        moved = max(
            np.linalg.norm(after - before, axis=1).max()
            for link, parts in capsules.items()
            for each in parts
            for before, after in zip(robot.ends(one, link, each), robot.ends(other, link, each), strict=True)
        )
        assert moved <= 0.5 * reach + 1e-12
        assert reach < 0.012, "metres per degree or percent: not absurdly careful"


# --- behind the gate -------------------------------------------------------------------------------------------------


class Robot:
    action_features = features()


def a_gate(**fields):
    return SafetyGate.for_robot(Robot(), SafetyConfig(ramp_s=0, model=LinksConfig(file="so101"), **fields))


def a_pose_inside(seed=1):
    judge = links()
    return next(pose for pose in random_poses(4000, seed).tolist() if not judge.outside(pose))


def hostile(random, tick, sent):
    """Commands of a broken or malicious source: jumps, noise, nonsense, pushing one way, sawing at a wall."""
    kind = (tick // 50) % 5
    if kind == 0:
        values = random.uniform(-200, 200, 6)
    elif kind == 1:
        values = [1e300, -1e300, math.nan, math.inf, 0.0, 50.0]
    elif kind == 2:
        values = np.array(sent) + random.uniform(-5, 5, 6)
    elif kind == 3:
        values = np.where(np.arange(6) % 2 == (tick // 250) % 2, 300, -300)
    else:
        values = np.array(sent) + (20 if tick % 2 else -20)
    return [float(value) for value in values]


def drive_hostile(count, seed):
    gate, random = a_gate(workspace=WORKSPACE), np.random.default_rng(seed)
    sent = a_pose_inside(seed)
    keys = list(Robot.action_features)
    gate.engage(dict(zip(keys, sent, strict=True)), 0.0)
    now, poses = 0.0, np.empty((count, 6))
    for tick in range(count):
        # Now and then the loop stalls.
        now += 0.5 if tick % 97 == 0 else 1 / 60
        command = gate.check(dict(zip(keys, hostile(random, tick, sent), strict=True)), now)
        poses[tick] = sent = [command[key] for key in keys]
    return poses, gate.interventions


def worst_by_hand(poses, ignored):
    return {name: depth.max() for name, depth in depths_by_hand(poses, ignored).items()}


def test_ten_thousand_hostile_commands_never_leave_the_workspace(ignored):
    poses, interventions = drive_hostile(10_000, seed=3)
    assert max(worst_by_hand(poses, ignored).values()) <= EXACT_M
    # What lies between two commands, in twenty parts: no link jumps through another, and the table is not cut.
    between = [poses[:-1] + (poses[1:] - poses[:-1]) * share for share in np.linspace(0.05, 0.95, 19)]
    for part in between:
        assert max(worst_by_hand(part[::3], ignored).values()) < MARGIN
    assert np.ptp(poses, axis=0).min() > 50, "the arm moved, rather than being held"
    reasons = {reason for each in interventions.values() for reason in each}
    assert {"table", "plane 1", "workspace x low"} <= reasons
    assert any(" meets " in reason for reason in reasons)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_million_hostile_commands_never_leave_the_workspace(ignored):
    for seed in range(10):
        poses, _ = drive_hostile(100_000, seed=100 + seed)
        assert max(worst_by_hand(poses, ignored).values()) <= EXACT_M


def test_an_arm_that_begins_outside_only_comes_inside(ignored):
    gate, keys = a_gate(workspace=WORKSPACE), list(Robot.action_features)
    start = [0.0, 60.0, -20.0, 60.0, 0.0, 0.0]
    gate.engage(dict(zip(keys, start, strict=True)), 0.0)
    assert links().outside(start).keys() >= {"table"}
    deeper = dict(zip(keys, [0.0, 100.0, 0.0, 90.0, 0.0, 0.0], strict=True))
    inside = dict(zip(keys, a_pose_inside(), strict=True))
    poses = [start]
    for tick in range(1, 400):
        command = gate.check(deeper if tick < 100 or 120 <= tick < 200 else inside, tick / 60)
        poses.append([command[key] for key in keys])
    depths = np.maximum(0, np.array(list(depths_by_hand(np.array(poses), ignored).values())))
    for depth in depths:
        least = np.minimum.accumulate(depth)
        assert (depth <= np.concatenate([depth[:1], least[:-1]]) + EXACT_M).all(), "what it gained it keeps"
    assert depths[:, -1].max() <= EXACT_M
    assert poses[-1] == pytest.approx([inside[key] for key in keys], abs=1)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_a_robot_rounds_never_adds_up_to_more_than_a_millimetre_or_two(ignored, seed):
    """Encoder steps of 0.088 degrees: what is sent lies a little beside what was allowed."""
    gate, random = a_gate(workspace=WORKSPACE), np.random.default_rng(seed)
    keys = list(Robot.action_features)
    sent = a_pose_inside()
    gate.engage(dict(zip(keys, sent, strict=True)), 0.0)
    goal, poses = random.uniform(-150, 150, 6), []
    for tick in range(1, 120):
        if tick % 40 == 0:
            goal = random.uniform(-150, 150, 6)
        command = gate.check(dict(zip(keys, goal.tolist(), strict=True)), tick / 60)
        sent = [round(command[key] / 0.0879) * 0.0879 for key in keys]
        gate.confirm(dict(zip(keys, sent, strict=True)))
        poses.append(sent)
    assert max(worst_by_hand(np.array(poses), ignored).values()) < 3e-3


def test_an_arm_slides_along_the_table():
    """Pushed down and sideways, it still goes sideways."""
    workspace = Workspace(table_z=0.0)
    gate, keys = a_gate(workspace=workspace), list(Robot.action_features)
    start = [0.0, 10.0, -10.0, 80.0, 0.0, 20.0]
    assert not links(workspace).outside(start)
    gate.engage(dict(zip(keys, start, strict=True)), 0.0)
    for tick in range(1, 240):
        command = gate.check(dict(zip(keys, [90.0, 100.0, 0.0, 80.0, 0.0, 20.0], strict=True)), tick / 60)
    assert command["shoulder_pan.pos"] == pytest.approx(90)
    assert command["shoulder_lift.pos"] < 60
    assert gate.interventions["shoulder_lift.pos"]["table"] > 50
