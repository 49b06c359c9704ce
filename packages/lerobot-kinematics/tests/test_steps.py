"""What the steps make of poses and joints, and that no pose makes the arm jump."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lerobot.core.errors import ConfigError, FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.types import FeatureSpec, Observation, Stamp
from lerobot.kinematics import config as c
from lerobot.kinematics.arm import Arm
from lerobot.kinematics.poses import POSE
from lerobot.kinematics.solver import rotation_matrix

SO101 = c.KinematicsConfig(urdf_path="so101")
ARM = Arm(SO101)
JOINTS = [f"{name}.pos" for name in ARM.joint_names]
REST = dict(zip([*JOINTS, "gripper.pos"], [10.0, -40.0, 40.0, 60.0, 5.0, 30.0], strict=True))
STEPS = c.StepSizes(x=0.01, y=0.02, z=0.03)


def degrees(values: dict) -> np.ndarray:
    return np.array([values[key] for key in JOINTS])


def place(values: dict) -> tuple[np.ndarray, np.ndarray]:
    return ARM.place(np.radians(degrees(values)))


def asked(values: dict) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.array([values[key] for key in POSE])
    return numbers[:3], rotation_matrix(numbers[3:])


def act(step, action: dict, observation: dict = REST, **entries) -> dict:
    return step(create_transition(dict(observation), dict(action), **entries))["action"]


def pose_of(values: dict) -> dict:
    return act(build_step(c.ForwardKinematicsActionConfig(kinematics=SO101)), values)


# --- forward ---------------------------------------------------------------------------------------------------------


def test_forward_replaces_joints_and_keeps_the_rest() -> None:
    observation = Observation({**REST, "front": "picture"}, {key: Stamp(5.0 + i) for i, key in enumerate(JOINTS)})
    step = build_step(c.ForwardKinematicsObservationConfig(kinematics=SO101))
    result = step(create_transition(observation))["observation"]
    assert list(result) == ["front", *POSE, "ee.gripper_pos"]
    position, rotation = place(REST)
    assert asked(result)[0] == pytest.approx(position)
    assert asked(result)[1] == pytest.approx(rotation, abs=1e-9)
    assert result["ee.gripper_pos"] == 30.0
    assert result.stamps["ee.x"] == Stamp(5.0), "as old as the oldest joint"


def test_forward_can_keep_the_joints() -> None:
    step = build_step(c.ForwardKinematicsActionConfig(kinematics=SO101, keep_joints=True))
    assert list(act(step, REST)) == [*REST, *POSE, "ee.gripper_pos"]


def test_forward_works_on_an_arm_without_a_gripper() -> None:
    step = build_step(c.ForwardKinematicsActionConfig(kinematics=SO101))
    assert list(act(step, {key: REST[key] for key in JOINTS})) == list(POSE)


def test_motors_may_have_other_names_than_joints() -> None:
    names = ["pan", "lift", "elbow", "flex", "roll"]
    kinematics = SO101.model_copy(update={"joint_names": ARM.joint_names})
    step = build_step(c.ForwardKinematicsActionConfig(kinematics=kinematics, motor_names=[*names, "gripper"]))
    values = {f"{name}.pos": REST[key] for name, key in zip(names, JOINTS, strict=True)} | {"gripper.pos": 30.0}
    assert act(step, values) == pose_of(REST)
    with pytest.raises(ConfigError, match=r"motor_names.*pan"):
        build_step(c.ForwardKinematicsActionConfig(kinematics=kinematics, motor_names=["pan"]))
    with pytest.raises(ConfigError, match=r"joint_names.*pan.*shoulder_pan"):
        build_step(c.ForwardKinematicsActionConfig(kinematics=SO101, motor_names=names))


def test_joints_must_be_there_and_in_degrees() -> None:
    step = build_step(c.ForwardKinematicsActionConfig(kinematics=SO101))
    features = dict.fromkeys(REST, FeatureSpec(unit="m100"))
    with pytest.raises(FeatureMismatchError, match="m100") as raised:
        step.transform_features({"action": features, "observation": {}})
    assert raised.value.keys == tuple(JOINTS)
    assert "use_degrees" in raised.value.hint
    with pytest.raises(FeatureMismatchError, match=r"no 'elbow_flex\.pos'"):
        act(step, {key: value for key, value in REST.items() if key != "elbow_flex.pos"})


def test_a_chain_of_another_arm_must_be_named() -> None:
    with pytest.raises(ValidationError, match="urdf_path"):
        c.KinematicsConfig()


# --- inverse ---------------------------------------------------------------------------------------------------------


def settle(step, action: dict, observation: dict = REST, ticks: int = 60) -> dict:
    for _ in range(ticks):
        result = act(step, action, observation)
    return result


def test_inverse_undoes_forward() -> None:
    step = build_step(c.InverseKinematicsConfig(kinematics=SO101, initial_guess_current_joints=False))
    wanted = {**REST, "shoulder_pan.pos": 30.0, "elbow_flex.pos": 20.0, "gripper.pos": 70.0}
    assert settle(step, pose_of(wanted)) == pytest.approx(wanted, abs=1e-3)


def test_inverse_starts_from_the_measured_joints_or_the_last_solution() -> None:
    """A pose with two solutions: which one is found tells where the search began."""
    wanted = {**REST, "shoulder_lift.pos": 0.0, "elbow_flex.pos": 30.0}
    for current in (True, False):
        step = build_step(c.InverseKinematicsConfig(kinematics=SO101, initial_guess_current_joints=current))
        settle(step, pose_of(wanted))
        moved = {**wanted, "wrist_roll.pos": 150.0}
        assert settle(step, pose_of(wanted), moved) == pytest.approx(wanted, abs=1e-2)


@pytest.mark.parametrize("bad", [{"ee.x": 2.0}, {"ee.z": -1.0}, {"ee.y": math.nan}, {"ee.wx": math.inf}])
def test_out_of_reach_the_arm_holds_says_so_once_and_goes_on_afterwards(caplog, bad) -> None:
    step = build_step(c.InverseKinematicsConfig(kinematics=SO101))
    near = {**REST, "shoulder_pan.pos": 15.0}
    before = settle(step, pose_of(near))
    for _ in range(3):
        assert act(step, pose_of(near) | bad) == before
    assert len(caplog.records) == 1
    assert "out of reach" in caplog.text
    back = {**REST, "shoulder_pan.pos": 12.0}
    assert settle(step, pose_of(back)) == pytest.approx(back, abs=1e-3)


def test_the_first_pose_out_of_reach_moves_nothing() -> None:
    step = build_step(c.InverseKinematicsConfig(kinematics=SO101))
    assert act(step, pose_of(REST) | {"ee.x": 3.0}) == pytest.approx(REST)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-0.6, 0.6)] * 6), min_size=1, max_size=8))
def test_no_sequence_of_poses_makes_the_arm_jump(poses) -> None:
    step = build_step(c.InverseKinematicsConfig(kinematics=SO101, max_joint_step_deg=4.0))
    last = degrees(REST)
    for pose in poses:
        now = degrees(act(step, dict(zip(POSE, pose, strict=True))))
        assert np.abs(now - last).max() <= 4.0 + 1e-9
        assert (np.radians(now) >= ARM.low - 1e-9).all()
        assert (np.radians(now) <= ARM.high + 1e-9).all()
        last = now


def test_inverse_says_what_it_makes() -> None:
    step = build_step(c.InverseKinematicsConfig(kinematics=SO101))
    action = {**dict.fromkeys(POSE, FeatureSpec()), "ee.gripper_pos": FeatureSpec(range=(0.0, 100.0))}
    observation = dict.fromkeys(REST, FeatureSpec(unit="deg"))
    made = step.transform_features({"action": action, "observation": observation})["action"]
    assert list(made) == [*JOINTS, "gripper.pos"]
    assert made["shoulder_pan.pos"].unit == "deg"
    assert made["shoulder_pan.pos"].range == pytest.approx((-110.0, 110.0), abs=1e-3)
    assert made["gripper.pos"].range == (0.0, 100.0)
    with pytest.raises(FeatureMismatchError, match=r"ee\.x"):
        step.transform_features({"action": observation, "observation": observation})


def test_the_step_for_learning_leaves_its_solution() -> None:
    step = build_step(c.InverseKinematicsRLConfig(kinematics=SO101))
    result = step(create_transition(dict(REST), pose_of(REST), complementary_data={"task": "x"}))
    assert result["complementary_data"]["task"] == "x"
    assert result["complementary_data"]["IK_solution"] == pytest.approx(degrees(REST), abs=1e-3)


# --- reference and delta ---------------------------------------------------------------------------------------------


def target(enabled: bool = True, **values: float) -> dict:
    zero = dict.fromkeys(("target_x", "target_y", "target_z", "target_wx", "target_wy", "target_wz"), 0.0)
    return {"enabled": enabled, **zero, **values, "gripper_vel": 0.5}


def reference(**settings):
    return build_step(c.EEReferenceAndDeltaConfig(kinematics=SO101, end_effector_step_sizes=STEPS, **settings))


MOVED = {**REST, "shoulder_pan.pos": 25.0}


def test_a_displacement_counts_from_where_the_arm_was_when_it_was_enabled() -> None:
    step = reference()
    start, axes = place(REST)
    first = act(step, target(target_x=1.0, target_z=-1.0, target_wz=math.pi / 2))
    assert asked(first)[0] == pytest.approx(start + np.array([0.01, 0, -0.03]))
    # Turned about the end's own z axis, a quarter turn takes x to y.
    assert asked(first)[1][:, 0] == pytest.approx(axes[:, 1], abs=1e-9)
    assert first["ee.gripper_vel"] == 0.5
    assert list(first) == ["ee.gripper_vel", *POSE]
    assert asked(act(step, target(target_y=1.0), MOVED))[0] == pytest.approx(start + np.array([0, 0.02, 0]))
    released = act(step, target(enabled=False, target_y=9.0), MOVED)
    assert asked(released)[0] == pytest.approx(start + np.array([0, 0.02, 0])), (
        "while not enabled the last pose is repeated"
    )
    again = act(step, target(target_y=1.0), MOVED)
    assert asked(again)[0] == pytest.approx(place(MOVED)[0] + [0, 0.02, 0]), "enabled anew, from where it is then"


def test_a_displacement_may_count_from_the_present() -> None:
    step = reference(use_latched_reference=False)
    act(step, target(target_x=1.0))
    assert asked(act(step, target(target_x=1.0), MOVED))[0] == pytest.approx(place(MOVED)[0] + [0.01, 0, 0])


def test_before_it_is_enabled_the_arm_stays_where_it_was_at_first() -> None:
    step = reference()
    act(step, target(enabled=False))
    assert asked(act(step, target(enabled=False), MOVED))[0] == pytest.approx(place(REST)[0])


def test_where_the_arm_is_may_be_what_was_commanded() -> None:
    step = reference(use_latched_reference=False, use_ik_solution=True)
    solution = [*degrees(MOVED), 30.0]
    pose = act(step, target(), complementary_data={"IK_solution": np.array(solution)})
    assert asked(pose)[0] == pytest.approx(place(MOVED)[0])
    assert asked(act(step, target()))[0] == pytest.approx(place(REST)[0]), "without one, what is measured"


# --- all in one ------------------------------------------------------------------------------------------------------


def deltas(x: float = 0.0, y: float = 0.0, z: float = 0.0, gripper: float = 1.0) -> dict:
    return {"delta_x": x, "delta_y": y, "delta_z": z, "gripper": gripper}


@pytest.mark.parametrize(
    ("heading", "given_deltas", "way"),
    [
        (0, deltas(x=1), [0.004, 0, 0]),
        (0, deltas(y=1), [0, 0.004, 0]),
        (0, deltas(z=-1), [0, 0, -0.004]),
        (90, deltas(y=-1), [0.004, 0, 0]),
        (90, deltas(x=1), [0, 0.004, 0]),
        (180, deltas(x=1), [-0.004, 0, 0]),
    ],
)
def test_deltas_move_the_end_step_by_step_in_a_straight_line(heading, given_deltas, way) -> None:
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101, heading_deg=heading))
    start, _ = place(REST)
    for tick in range(1, 6):
        # The arm is never where it was told to go: it lags and sags.
        position, _ = place(act(step, given_deltas, {**REST, "shoulder_lift.pos": -38.0} if tick > 1 else REST))
        assert position == pytest.approx(start + np.array(way) * tick, abs=1e-5)


@pytest.mark.parametrize(
    ("way", "sign"),
    [
        *(("x", 1), ("y", -1), ("z", 1)),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in (("x", -1), ("y", 1), ("z", -1))),
    ],
)
def test_from_the_edge_of_its_reach_the_arm_comes_back_at_once(way, sign) -> None:
    """At full stretch the elbow could fold either way, and one of them ends at its limit."""
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101))
    start, _ = place(REST)
    last = degrees(REST)
    index = "xyz".index(way)
    for direction in (sign, -sign):
        for _ in range(150):
            moved = degrees(act(step, deltas(**{way: direction})))
            assert np.abs(moved - last).max() <= 10.0 + 1e-9
            last = moved
            position, _ = ARM.place(np.radians(moved))
            if direction != sign and (position[index] - start[index]) * sign < 0:
                break
        else:
            assert direction == sign, f"stuck at {position}"
            assert abs(position[index] - start[index]) > 0.05


def test_the_box_keeps_the_end_off_the_table() -> None:
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101))
    for _ in range(200):
        position, _ = place(act(step, deltas(z=-1)))
    assert position[2] == pytest.approx(0.0, abs=0.005)


def test_the_gripper_opens_closes_and_keeps_its_grip() -> None:
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101, gripper_step=3.0))
    held = {**REST, "gripper.pos": 28.0}
    found = [act(step, deltas(gripper=value), held)["gripper.pos"] for value in (2, 2, 1, 0, 0, 0, 0, 1, 1)]
    assert found == pytest.approx([31, 34, 34, 31, 28, 25, 22, 22, 22])


def test_whoever_drives_without_a_gripper_leaves_it_as_it_is() -> None:
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101))
    given_deltas = {key: value for key, value in deltas(x=1).items() if key != "gripper"}
    specs = {"action": dict.fromkeys(given_deltas, FeatureSpec()), "observation": dict.fromkeys(REST, FeatureSpec())}
    assert set(step.transform_features(specs)["action"]) == set(REST)
    assert act(step, given_deltas)["gripper.pos"] == 30.0


def test_without_deltas_nothing_moves() -> None:
    step = build_step(c.EEDeltasToJointsConfig(kinematics=SO101))
    for _ in range(20):
        assert act(step, deltas()) == pytest.approx(REST, abs=1e-3)
