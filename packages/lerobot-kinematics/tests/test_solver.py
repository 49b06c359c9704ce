"""Joint angles for a pose: against placo where the arm can do all of it, and by its own promises where it cannot."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.kinematics.arm import Arm
from lerobot.kinematics.config import KinematicsConfig
from lerobot.kinematics.solver import InverseKinematics, rotation_matrix, rotation_vector

ARM = Arm(KinematicsConfig(urdf_path="so101"))
part = st.floats(-0.9, 0.9)
anywhere = st.tuples(*[part] * 5).map(
    lambda parts: (ARM.low + ARM.high) / 2 + np.array(parts) * (ARM.high - ARM.low) / 2
)
nearby = st.tuples(*[st.floats(-0.05, 0.05)] * 5).map(np.array)


def test_it_finds_the_joints_placo_converges_to(arm: Arm, golden) -> None:
    solver = InverseKinematics(arm)
    for case in golden:
        found = solver.solve(case["pose"][:, 3], case["pose"][:, :3], np.radians(case["start"]))
        assert np.degrees(found.joints) == pytest.approx(case["converged"], abs=1e-3)
        assert found.position_error_m < 1e-6


@settings(deadline=None)
@given(anywhere, nearby)
def test_a_pose_the_arm_can_take_is_met(joints, offset) -> None:
    position, rotation = ARM.place(joints)
    found = InverseKinematics(ARM).solve(position, rotation, joints + offset)
    assert found.position_error_m < 1e-5
    assert (found.joints >= ARM.low).all()
    assert (found.joints <= ARM.high).all()


@settings(deadline=None)
@given(anywhere, anywhere)
def test_the_position_comes_first_whatever_orientation_is_asked_for(joints, other) -> None:
    """A five-joint arm cannot point everywhere; it must not miss the place for that."""
    inside = (ARM.low + ARM.high) / 2 + (joints - (ARM.low + ARM.high) / 2) * 0.7
    position, _ = ARM.place(inside)
    _, rotation = ARM.place(other)
    assert InverseKinematics(ARM).solve(position, rotation, inside).position_error_m < 5e-3


@settings(deadline=None)
@given(anywhere)
def test_where_the_arm_is_it_stays(joints) -> None:
    found = InverseKinematics(ARM).solve(*ARM.place(joints), joints)
    assert np.abs(found.joints - joints).max() < 1e-6


def test_out_of_reach_it_says_how_far(arm: Arm) -> None:
    start = np.radians([0, -40, 40, 60, 0.0])
    far = np.array([2.0, 0.0, 0.1])
    found = InverseKinematics(arm).solve(far, np.eye(3), start)
    assert found.position_error_m == pytest.approx(np.linalg.norm(far - arm.place(found.joints)[0]), abs=1e-12)
    assert found.position_error_m > 1.4
    assert np.isfinite(found.joints).all()


def test_without_weight_the_orientation_is_free(arm: Arm) -> None:
    start = np.radians([10, -40, 40, 60, 30.0])
    position, rotation = arm.place(start)
    above = position + np.array([0, 0, 0.05])
    free = InverseKinematics(arm, orientation_weight=0.0).solve(above, rotation, start)
    kept = InverseKinematics(arm).solve(above, rotation, start)

    def turned(joints: np.ndarray) -> float:
        return float(np.linalg.norm(rotation_vector(rotation @ arm.place(joints)[1].T)))

    assert free.position_error_m < 1e-6
    assert kept.position_error_m < 1e-6
    assert turned(kept.joints) < 0.01 < turned(free.joints)


@pytest.mark.parametrize(
    ("vector", "matrix"),
    [
        ([0, 0, 0], np.eye(3)),
        ([0, 0, math.pi / 2], [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        ([math.pi, 0, 0], np.diag([1, -1, -1])),
    ],
)
def test_axis_times_angle(vector, matrix) -> None:
    assert rotation_matrix(np.array(vector, float)) == pytest.approx(np.array(matrix, float), abs=1e-12)
    assert rotation_vector(np.array(matrix, float)) == pytest.approx(vector, abs=1e-9)
