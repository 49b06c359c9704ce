"""Pictures without OpenGL: flat faces, filled by OpenCV from the farthest to the nearest.

Fast on any machine and free of system packages. What lies on the table is painted in layers (table, marks, shadows),
everything else in order of distance; where two shapes pass through each other the border may be a face off.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.rendering.lighting import Lighting
from lerobot.sim.rendering.polygons import Floats, Polygons, polygons
from lerobot.sim.scene import BACKGROUND, MARK_GROUP, SURFACE_GROUP, tiles

_NEAR_M = 0.01
_SHADOW = 0.70
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class _View:
    """One camera at one instant: `rotation` has the camera's axes (right, up, back) as columns."""

    eye: Floats
    rotation: Floats
    focal_px: float
    width: int
    height: int

    def points(self, world: Floats) -> Floats:
        """Points `(..., 3)` in the camera's frame."""
        return (world - self.eye) @ self.rotation

    def pixels(self, points: Floats) -> NDArray[np.int32]:
        """Pixels `(..., 2)` of points in the camera's frame that lie in front of it, in sixteenths."""
        scale = self.focal_px / -points[..., 2:]
        centre = np.array([(self.width - 1) / 2, (self.height - 1) / 2])
        pixels = points[..., :2] * (1.0, -1.0) * scale + centre
        fixed: NDArray[np.int32] = np.rint(pixels * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        return fixed

    def frustum(self) -> Floats:
        """Inward normals `(4, 3)` of the four sides of the field of view, camera frame."""
        x, y = self.width / 2 / self.focal_px, self.height / 2 / self.focal_px
        return np.array([[1, 0, -x], [-1, 0, -x], [0, 1, -y], [0, -1, -y]])

    def hidden(self, points: Floats) -> NDArray[np.bool_]:
        """Which faces `(F, N, 3)`, camera frame, lie behind the camera, or a pixel or more aside, as a whole."""
        behind = np.all(points[..., 2] > -_NEAR_M, axis=1)
        aside = np.all(points @ self.frustum().T < points[..., 2:] / self.focal_px, axis=1).any(axis=1)
        marked: NDArray[np.bool_] = behind | aside
        return marked

    def wild(self, points: Floats) -> NDArray[np.bool_]:
        """Which faces `(F, N, 3)`, camera frame, reach behind the camera or so far aside that pixels overflow."""
        behind = points[..., 2] > -_NEAR_M
        aside = points @ self.frustum().T < -4 * np.abs(points[..., 2:])
        marked: NDArray[np.bool_] = np.any(behind, axis=1) | np.any(aside, axis=(1, 2))
        return marked


@dataclass(frozen=True, slots=True)
class _Look:
    """What colours are: the light, and those of the shapes, `(G, 3)` RGB in [0, 1]."""

    lighting: Lighting
    colours: Floats


class Painter:
    """Paints one model from any of its cameras.

    Args:
        model: the scene.
    """

    name = "painter"

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        shapes = polygons(model)
        group = model.geom_group[shapes.geoms]
        surface, mark, tile = group == SURFACE_GROUP, group == MARK_GROUP, np.isin(shapes.geoms, tiles(model))
        self._flat = [_select(shapes, mask) for mask in (surface & ~tile, tile, mark)]
        self._solid = solids = _select(shapes, ~surface & ~mark)
        # What throws a shadow: the corners of each solid, once; faces share theirs.
        numbers = np.unique(solids.geoms)
        corners = [np.unique(solids.corners[solids.geoms == number].reshape(-1, 3), axis=0) for number in numbers]
        self._corners = np.concatenate(corners)
        self._owners = np.repeat(numbers, [len(own) for own in corners])
        ends = np.cumsum([len(own) for own in corners])
        self._shapes = [slice(*pair) for pair in pairwise([0, *ends.tolist()])]

    def render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> NDArray[np.uint8]:
        """Paint what a camera sees.

        Args:
            data: present state of the scene.
            camera: name of a camera of the model.
            width: pixels.
            height: pixels.

        Returns:
            `(H, W, 3)` uint8, RGB.
        """
        view = self._view(data, camera, width, height)
        rotations, places = data.geom_xmat.reshape(-1, 3, 3).copy(), data.geom_xpos.copy()
        image = np.empty((height, width, 3), np.uint8)
        image[:] = np.rint(np.array(BACKGROUND) * 255)
        look = _Look(Lighting.of(self._model), self._model.geom_rgba[:, :3].astype(np.float64))
        for layer in self._flat:
            _paint(image, view, layer, rotations, places, look)
        self._shade(image, view, rotations, places, look.lighting.direction)
        _paint(image, view, self._solid, rotations, places, look)
        return image

    def close(self) -> None:
        """Nothing is held."""

    def _view(self, data: mujoco.MjData, camera: str, width: int, height: int) -> _View:
        number = self._model.camera(camera).id
        focal = height / 2 / np.tan(np.radians(self._model.cam_fovy[number]) / 2)
        return _View(
            data.cam_xpos[number].copy(), data.cam_xmat[number].reshape(3, 3).copy(), float(focal), width, height
        )

    def _shade(self, image: NDArray[np.uint8], view: _View, rotations: Floats, places: Floats, light: Floats) -> None:
        """Darken the table where a solid keeps the light away."""
        if view.eye[2] <= 0:
            return
        corners = np.einsum("cij,cj->ci", rotations[self._owners], self._corners) + places[self._owners]
        ground = corners - light * (np.maximum(corners[..., 2:], 0) / light[2])
        points = view.points(ground)
        wild = view.wild(points[:, None])
        pixels = view.pixels(np.where(wild[:, None], (0.0, 0.0, -1.0), points))
        mask = np.zeros(image.shape[:2], np.uint8)
        for shape in self._shapes:
            if not wild[shape].any():
                # Straight lines stay straight in a picture: the hull may be taken there.
                cv2.fillConvexPoly(mask, cv2.convexHull(pixels[shape]), 255, shift=_SUBPIXEL_BITS)
                continue
            hull = cv2.convexHull(ground[shape, :2].astype(np.float32))[:, 0]
            outline = _clipped(view.points(np.column_stack([hull, np.zeros(len(hull))])), view)
            if len(outline) > 2:
                cv2.fillConvexPoly(mask, view.pixels(outline), 255, shift=_SUBPIXEL_BITS)
        cv2.copyTo(cv2.convertScaleAbs(image, alpha=_SHADOW), mask, image)


def _select(shapes: Polygons, mask: NDArray[np.bool_]) -> Polygons:
    return Polygons(shapes.corners[mask], shapes.centres[mask], shapes.normals[mask], shapes.geoms[mask])


def _paint(
    image: NDArray[np.uint8], view: _View, shapes: Polygons, rotations: Floats, places: Floats, look: _Look
) -> None:
    # In the frames of the shapes: there are few of these, and most faces are turned away and need no more than this.
    eyes = np.einsum("gij,gi->gj", rotations, view.eye - places)
    rays = shapes.centres - eyes[shapes.geoms]
    seen = np.flatnonzero(np.einsum("fi,fi->f", shapes.normals, rays) < 0)
    seen = seen[np.argsort(-np.einsum("fi,fi->f", rays[seen], rays[seen]), kind="stable")]
    geoms = shapes.geoms[seen]
    facing = np.einsum("fi,fi->f", shapes.normals[seen], (look.lighting.direction @ rotations)[geoms])
    light = look.lighting.on(facing)
    colours = np.minimum(look.colours[geoms] * light[:, None] * 255, 255).tolist()
    corners = shapes.corners[seen] @ rotations[geoms].transpose(0, 2, 1) + places[geoms][:, None]
    points = view.points(corners)
    hidden = view.hidden(points)
    wild = view.wild(points)
    pixels = view.pixels(np.where(wild[:, None, None], (0.0, 0.0, -1.0), points))
    for face in np.flatnonzero(~hidden).tolist():
        outline = pixels[face]
        if wild[face]:
            clipped = _clipped(points[face], view)
            if len(clipped) < 3:
                continue
            outline = view.pixels(clipped)
        cv2.fillConvexPoly(image, outline, colours[face], shift=_SUBPIXEL_BITS)


def _clipped(points: Floats, view: _View) -> Floats:
    """Cut a convex polygon `(N, 3)`, camera frame, down to the field of view (Sutherland and Hodgman 1974)."""
    planes = np.vstack([[0.0, 0.0, -1.0], view.frustum()])
    limits = (_NEAR_M, 0.0, 0.0, 0.0, 0.0)
    for plane, limit in zip(planes, limits, strict=True):
        inside = points @ plane - limit
        kept: list[Floats] = []
        for i in range(len(points)):
            j = i - 1
            if (inside[i] >= 0) != (inside[j] >= 0):
                part = inside[j] / (inside[j] - inside[i])
                kept.append(points[j] + part * (points[i] - points[j]))
            if inside[i] >= 0:
                kept.append(points[i])
        points = np.array(kept).reshape(-1, 3)
        if len(points) < 3:
            break
    return points
