"""What is done to the fields of an episode."""

import numpy as np
import pytest

from lerobot.recipes import operations


@pytest.mark.parametrize(
    ("commands", "states"),
    [
        ([0, 0, 1, 0, -1, 0], [1, 1, 0, 0, 1, 1]),
        ([0, -1, 0, 1], [0, 1, 1, 0]),
        ([0, 0.05, -0.05], [1, 1, 1]),
        ([1, 1, -0.3], [0, 0, 1]),
    ],
)
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_a_relative_gripper_holds_its_last_command(commands, states, shape):
    found = operations.absolute_gripper(np.array(commands, "f4").reshape(shape))
    np.testing.assert_array_equal(found, np.array(states, "f4").reshape(shape))


def test_euler_angles_give_back_the_rotation():
    rng = np.random.default_rng(0)
    roll, pitch, yaw = rng.uniform(-1.5, 1.5, (3, 50))

    def about(axis, angle):
        half = np.zeros((len(angle), 4))
        half[:, axis], half[:, 3] = np.sin(angle / 2), np.cos(angle / 2)
        return half

    def times(a, b):
        vector = a[:, 3:] * b[:, :3] + b[:, 3:] * a[:, :3] + np.cross(a[:, :3], b[:, :3])
        return np.column_stack([vector, a[:, 3] * b[:, 3] - (a[:, :3] * b[:, :3]).sum(1)])

    # First about x, then about y, then about z, all fixed.
    quaternions = times(about(2, yaw), times(about(1, pitch), about(0, roll)))
    found = operations.euler_angles(quaternions)
    np.testing.assert_allclose(found, np.column_stack([roll, pitch, yaw]), atol=1e-6)


def test_code_points_end_at_the_first_zero():
    assert operations.text_of_code_points(np.array([104, 105, 0, 120])) == "hi"
    assert operations.text_of_code_points(np.array([104, 105])) == "hi"
    assert operations.text_of_code_points(np.array([0, 105])) == ""


def test_the_last_frame_follows_itself():
    np.testing.assert_array_equal(operations.following(np.array([[1], [2], [3]])), [[2], [3], [3]])
