"""Rotations in space as objects that are made of one form and asked for another."""

import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Rotation:
    """A rotation, kept as a matrix; products are rotations one after the other.

    Args:
        matrix: `(3, 3)`, orthonormal.
    """

    def __init__(self, matrix: ArrayLike) -> None:
        self._matrix: Array = np.asarray(matrix, np.float64).reshape(3, 3)

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Self:
        """Of a matrix `(3, 3)`."""
        return cls(matrix)

    @classmethod
    def from_rotvec(cls, rotvec: ArrayLike) -> Self:
        """Of the axis times the angle in radians, `(3,)`, by the formula of Rodrigues."""
        vector = np.asarray(rotvec, np.float64)
        angle = float(np.linalg.norm(vector))
        x, y, z = vector / angle if angle else vector
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        return cls(np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross)

    @classmethod
    def from_quat(cls, quat: ArrayLike) -> Self:
        """Of a quaternion `(x, y, z, w)` of any length but zero.

        Raises:
            ValueError: its length is zero.
        """
        parts = np.asarray(quat, np.float64)
        axis, real = parts[:3], float(parts[3])
        length = float(np.linalg.norm(axis))
        if not length and not real:
            raise ValueError("a quaternion of length 0 is no rotation")
        angle = 2.0 * math.atan2(length, real)
        return cls.from_rotvec(axis * (angle / length) if length else np.zeros(3))

    def as_matrix(self) -> Array:
        """The matrix `(3, 3)`."""
        return self._matrix.copy()

    def as_rotvec(self) -> Array:
        """The axis times the angle in radians, `(3,)`; the angle is at most pi."""
        *axis, real = self.as_quat()
        length = float(np.linalg.norm(axis))
        # The limit of angle / sin(angle / 2) at no angle is 2.
        return np.array(axis) * (2.0 * math.atan2(length, real) / length if length else 2.0)

    def as_quat(self) -> Array:
        """The quaternion `(x, y, z, w)` of length 1, with w not below zero.

        It is the eigenvector of the largest eigenvalue of a symmetric matrix, which is exact at every angle.

        Source:
            I. Y. Bar-Itzhack, New method for extracting the quaternion from a rotation matrix, 2000.
        """
        m = self._matrix
        key = np.array(
            [
                [m[0, 0] - m[1, 1] - m[2, 2], m[1, 0] + m[0, 1], m[2, 0] + m[0, 2], m[2, 1] - m[1, 2]],
                [m[1, 0] + m[0, 1], m[1, 1] - m[0, 0] - m[2, 2], m[2, 1] + m[1, 2], m[0, 2] - m[2, 0]],
                [m[2, 0] + m[0, 2], m[2, 1] + m[1, 2], m[2, 2] - m[0, 0] - m[1, 1], m[1, 0] - m[0, 1]],
                [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
            ]
        )
        quaternion: Array = np.linalg.eigh(key)[1][:, -1]
        return quaternion if quaternion[3] >= 0 else -quaternion

    def apply(self, vectors: ArrayLike, inverse: bool = False) -> Array:
        """Turn a vector `(3,)`, or several `(N, 3)`.

        Args:
            vectors: what is turned.
            inverse: turn the other way.
        """
        turned: Array = np.asarray(vectors, np.float64) @ (self._matrix if inverse else self._matrix.T)
        return turned

    def inv(self) -> Self:
        """The rotation the other way."""
        return type(self)(self._matrix.T)

    def __mul__(self, other: Any) -> Self:
        """First the other, then this one."""
        return type(self)(self._matrix @ other.as_matrix())
