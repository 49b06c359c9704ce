"""Rotations, against values that follow from a drawing."""

import math

import pytest

np = pytest.importorskip("numpy")

from lerobot.compat.rotations import Rotation  # noqa: E402

HALF = math.sqrt(0.5)
QUARTER_ABOUT_Z = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
"""A quarter turn to the left: x becomes y."""


@pytest.mark.parametrize(
    "made",
    [
        Rotation.from_matrix(QUARTER_ABOUT_Z),
        Rotation.from_rotvec([0, 0, math.pi / 2]),
        Rotation.from_quat([0, 0, HALF, HALF]),
        Rotation.from_quat([0, 0, -3 * HALF, -3 * HALF]),
    ],
)
def test_every_form_is_the_same_quarter_turn(made: Rotation) -> None:
    np.testing.assert_allclose(made.as_matrix(), QUARTER_ABOUT_Z, atol=1e-12)
    np.testing.assert_allclose(made.as_rotvec(), [0, 0, math.pi / 2], atol=1e-12)
    np.testing.assert_allclose(made.as_quat(), [0, 0, HALF, HALF], atol=1e-12)
    np.testing.assert_allclose(made.apply([1, 0, 0]), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(made.apply([[0, 1, 0], [0, 0, 5]], inverse=True), [[1, 0, 0], [0, 0, 5]], atol=1e-12)


def test_products_are_one_after_the_other() -> None:
    about_z, about_x = Rotation.from_rotvec([0, 0, math.pi / 2]), Rotation.from_rotvec([math.pi / 2, 0, 0])
    np.testing.assert_allclose((about_x * about_z).apply([1, 0, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose((about_x * about_x.inv()).as_rotvec(), [0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(Rotation.from_matrix(np.eye(3)).as_quat(), [0, 0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1.0, 3.1415, math.pi])
def test_every_angle_comes_back(angle: float) -> None:
    vector = angle * np.array([2.0, -1.0, 2.0]) / 3.0
    found = Rotation.from_rotvec(vector).as_rotvec()
    # At half a turn both signs are the same rotation.
    assert min(np.abs(found - vector).max(), np.abs(found + vector).max() if angle == math.pi else 1.0) < 1e-9


def test_a_quaternion_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="length 0"):
        Rotation.from_quat([0, 0, 0, 0])
