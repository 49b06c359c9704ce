"""Pictures by casting a ray through every pixel: slow, free of system packages, and exact to the pixel."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.sim.rendering.lighting import Lighting
from lerobot.sim.scene import BACKGROUND


class RayCaster:
    """Looks at one model from any of its cameras.

    Args:
        model: the scene.
    """

    name = "rays"

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model

    def cast(
        self, data: mujoco.MjData, camera: str, width: int, height: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
        """What each pixel sees.

        Returns:
            Index of the shape, `(H, W)` int32, -1 for none; depth along the camera's axis, `(H, W)` float64 metres,
            infinite for none; outward normal of what was hit, `(H, W, 3)` float64, world frame.
        """
        number = self._model.camera(camera).id
        focal = height / 2 / np.tan(np.radians(self._model.cam_fovy[number]) / 2)
        x = (np.arange(width) - (width - 1) / 2) / focal
        y = ((height - 1) / 2 - np.arange(height)) / focal
        rays = np.stack([*np.meshgrid(x, y), np.full((height, width), -1.0)], axis=-1).reshape(-1, 3)
        lengths = np.linalg.norm(rays, axis=1)
        directions = (rays / lengths[:, None]) @ data.cam_xmat[number].reshape(3, 3).T
        count = len(rays)
        geoms, distances, normals = np.empty(count, np.int32), np.empty(count), np.empty((count, 3))
        mujoco.mj_multiRay(
            m=self._model,
            d=data,
            pnt=data.cam_xpos[number],
            vec=directions.ravel(),
            geomgroup=None,
            flg_static=1,
            bodyexclude=-1,
            geomid=geoms,
            dist=distances,
            normal=normals.ravel(),
            nray=count,
            cutoff=mujoco.mjMAXVAL,
        )
        depth = np.where(geoms >= 0, distances / lengths, np.inf)
        return geoms.reshape(height, width), depth.reshape(height, width), normals.reshape(height, width, 3)

    def render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> NDArray[np.uint8]:
        """See `Painter.render`; there are no shadows."""
        geoms, _, normals = self.cast(data, camera, width, height)
        lighting = Lighting.of(self._model)
        light = lighting.on(normals @ lighting.direction)
        colours = self._model.geom_rgba[geoms, :3] * light[..., None]
        colours[geoms < 0] = BACKGROUND
        image: NDArray[np.uint8] = np.rint(np.minimum(colours, 1.0) * 255).astype(np.uint8)
        return image

    def close(self) -> None:
        """Nothing is held."""
