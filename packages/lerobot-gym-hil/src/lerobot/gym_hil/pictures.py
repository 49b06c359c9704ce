"""What the arm's cameras see."""

import importlib

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.envs.opengl import windowless


class Pictures:
    """Draws one scene without a window.

    The platform's module is asked by name: MuJoCo keeps to the platform it found when it was imported, which may have
    been long ago.

    Args:
        model: the scene.
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
        shadows: draw shadows and smooth edges.

    Raises:
        LeRobotError: this machine cannot make pictures; says what to install.
    """

    def __init__(self, model: mujoco.MjModel, height: int, width: int, *, shadows: bool) -> None:
        self._model = model
        # All read when the context is made.
        model.vis.global_.offheight, model.vis.global_.offwidth = height, width
        if not shadows:
            model.vis.quality.shadowsize = model.vis.quality.offsamples = 0
        with windowless() as platform:
            module = importlib.import_module(f"mujoco.{platform}" if platform else "mujoco.gl_context")
            self._surface = module.GLContext(width, height)
            self._surface.make_current()
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._view = mujoco.MjrRect(0, 0, width, height)
        self._options = mujoco.MjvOption()
        self._scene = mujoco.MjvScene(model, maxgeom=10_000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED

    def picture(self, data: mujoco.MjData, camera: str) -> NDArray[np.uint8]:
        """What a camera sees, `(H, W, 3)` uint8 RGB."""
        self._surface.make_current()
        self._camera.fixedcamid = self._model.camera(camera).id
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, everything, self._scene)
        mujoco.mjr_render(self._view, self._scene, self._context)
        pixels = np.empty((self._view.height, self._view.width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, self._view, self._context)
        return pixels[::-1].copy()

    def close(self) -> None:
        """Release the context."""
        self._surface.make_current()
        self._context.free()
        self._surface.free()
