"""Rotations as matrices `(3, 3)`, quaternions `(x, y, z, w)` and vectors axis times angle `(3,)` rad."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def from_quaternion(quaternion: Vector) -> Vector:
    """The matrix of a quaternion `(4,)`, which need not have length 1, but some length."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def to_quaternion(matrix: Vector) -> Vector:
    """The quaternion `(4,)` of a matrix, with w >= 0.

    Source:
        Bar-Itzhack, "New Method for Extracting the Quaternion from a Rotation Matrix", J. Guidance 23 (2000): the
        eigenvector of the largest eigenvalue, which is exact to rounding at every angle.
    """
    (a, b, c), (d, e, f), (g, h, i) = matrix
    symmetric = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    quaternion: Vector = np.linalg.eigh(symmetric)[1][:, -1]
    return -quaternion if quaternion[3] < 0 else quaternion


def to_vector(matrix: Vector) -> Vector:
    """Axis times angle `(3,)` rad of a matrix; the angle is at most pi."""
    quaternion = to_quaternion(matrix)
    sine = float(np.linalg.norm(quaternion[:3]))
    angle = 2 * np.arctan2(sine, quaternion[3])
    scale = angle / sine if sine > 1e-9 else 2.0
    return np.asarray(quaternion[:3] * scale)


def from_vector(vector: Vector) -> Vector:
    """The matrix of axis times angle `(3,)` rad."""
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 0 else vector
    return from_quaternion(np.append(axis * np.sin(angle / 2), np.cos(angle / 2)))
