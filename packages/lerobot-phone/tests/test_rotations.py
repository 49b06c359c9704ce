"""Rotations, beside closed forms."""

import numpy as np
import pytest

from lerobot.phone.rotations import from_quaternion, from_vector, to_quaternion, to_vector


@pytest.mark.parametrize("angle", [0.0, 1e-7, 0.3, 1.5, 3.0, np.pi - 1e-6])
def test_a_vector_comes_back(angle: float) -> None:
    for axis in np.random.default_rng(0).normal(size=(20, 3)):
        vector = angle * axis / np.linalg.norm(axis)
        assert to_vector(from_vector(vector)) == pytest.approx(vector, abs=1e-6)


def test_rodrigues_formula() -> None:
    for vector in np.random.default_rng(1).normal(size=(20, 3)):
        angle = np.linalg.norm(vector)
        x, y, z = vector / angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        expected = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        assert from_vector(vector) == pytest.approx(expected, abs=1e-12)


def test_a_quarter_turn() -> None:
    half = np.sqrt(0.5)
    assert from_quaternion(np.array([0, 0, half, half])) @ [1, 0, 0] == pytest.approx([0, 1, 0])
    assert to_quaternion(from_quaternion(np.array([0, 0, 2.0, 2.0]))) == pytest.approx([0, 0, half, half])
