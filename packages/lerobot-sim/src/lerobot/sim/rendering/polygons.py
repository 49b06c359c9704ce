"""The shapes of a scene as flat faces with four corners, the form the painter works on."""

import math
from dataclasses import dataclass
from itertools import pairwise

import mujoco
import numpy as np
from numpy.typing import NDArray

_TILE_M = 0.03
"""Longest edge of a face: small faces sort by distance with few mistakes."""

_AROUND = 16
_RINGS = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Polygons:
    """Faces of every shape of a model, in the frames of the shapes.

    Attributes:
        corners: `(F, 4, 3)` float64, anticlockwise seen from outside; a triangle repeats its last corner.
        centres: `(F, 3)` float64, mean of the corners.
        normals: `(F, 3)` float64, pointing outwards.
        geoms: `(F,)` intp, index of the shape each face belongs to.
    """

    corners: Floats
    centres: Floats
    normals: Floats
    geoms: NDArray[np.intp]


def polygons(model: mujoco.MjModel) -> Polygons:
    """Cut every box, cylinder, capsule and sphere of a model into faces."""
    corners: list[Floats] = []
    geoms: list[NDArray[np.intp]] = []
    for geom in range(model.ngeom):
        faces = _faces(mujoco.mjtGeom(model.geom_type[geom]), model.geom_size[geom])
        corners.append(faces)
        geoms.append(np.full(len(faces), geom))
    stacked, owner = np.concatenate(corners), np.concatenate(geoms)
    # Diagonals: an edge of a triangle may have no length.
    normals = np.cross(stacked[:, 2] - stacked[:, 0], stacked[:, 3] - stacked[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Polygons(stacked, stacked.mean(axis=1), normals, owner)


def _faces(kind: mujoco.mjtGeom, size: Floats) -> Floats:
    """Faces `(F, 4, 3)` of one shape.

    Raises:
        ValueError: the painter has no faces for this kind of shape.
    """
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return _box(size)
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return _turned([(0.0, size[1]), (size[0], size[1]), (size[0], -size[1]), (0.0, -size[1])])
    if kind in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_SPHERE):
        half = size[1] if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else 0.0
        arc = [(size[0] * math.sin(a), size[0] * math.cos(a)) for a in np.linspace(0, math.pi / 2, _RINGS)]
        top = [(r, z + half) for r, z in arc]
        bottom = [(r, -z) for r, z in reversed(top)]
        return _turned(top + (bottom if half else bottom[1:]))
    raise ValueError(f"a shape of kind {kind.name} cannot be painted; expected box, cylinder, capsule or sphere")


def _box(size: Floats) -> Floats:
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        # A table is painted below everything else, whole.
        tile = _TILE_M if size.max() < 0.2 else math.inf
        us, vs = (np.linspace(-size[k], size[k], max(2, math.ceil(2 * size[k] / tile) + 1)) for k in (u, v))
        for sign in (-1.0, 1.0):
            for u0, u1 in pairwise(us):
                for v0, v1 in pairwise(vs):
                    face = np.empty((4, 3))
                    face[:, axis] = sign * size[axis]
                    face[:, u] = [u0, u1, u1, u0]
                    face[:, v] = [v0, v0, v1, v1]
                    faces.append(face if sign > 0 else face[::-1])
    return np.array(faces)


def _turned(profile: list[tuple[float, float]]) -> Floats:
    """Faces of the body that a profile of (radius, z), from top to bottom, sweeps around z."""
    angles = np.linspace(0, 2 * math.pi, _AROUND + 1)
    rings = [
        np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.full_like(angles, z)])
        for radius, z in profile
    ]
    faces = [
        [upper[i], lower[i], lower[i + 1], upper[i + 1]] for upper, lower in pairwise(rings) for i in range(_AROUND)
    ]
    return np.array(faces)
