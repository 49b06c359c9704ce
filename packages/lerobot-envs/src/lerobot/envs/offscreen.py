"""Pictures of a MuJoCo model, drawn without a window by OpenGL."""

import importlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.envs.opengl import windowless


class Offscreen:
    """Draws what the cameras of one model see, all pictures in one size.

    The OpenGL context, made for the first picture, belongs to a thread of its own: whoever asks for pictures may stand
    in any.

    Args:
        model: the scene; its settings for pictures (buffer size, with `fast` their quality) are set.
        width: of a picture in pixels.
        height: of a picture in pixels.
        fast: no shadows and hard edges, several times faster where a CPU draws.
        hidden: groups of shapes that are not drawn, such as those that only collide.
    """

    def __init__(
        self, model: mujoco.MjModel, width: int, height: int, *, fast: bool = False, hidden: Sequence[int] = ()
    ) -> None:
        self._model = model
        self._fast = fast
        self._view = mujoco.MjrRect(0, 0, width, height)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._option = mujoco.MjvOption()
        for group in hidden:
            self._option.geomgroup[group] = 0
        self._thread: ThreadPoolExecutor | None = None

    def picture(self, data: mujoco.MjData, camera: str) -> NDArray[np.uint8]:
        """What a camera of the model sees, `(H, W, 3)` uint8 RGB.

        Raises:
            LeRobotError: the machine has no OpenGL to draw with.
        """
        if self._thread is None:
            thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="offscreen")
            try:
                thread.submit(self._open).result()
            except BaseException:
                thread.shutdown()
                raise
            self._thread = thread
        return self._thread.submit(self._draw, data, self._model.camera(camera).id).result()

    def close(self) -> None:
        """Release the OpenGL context; the next picture makes a new one."""
        if self._thread is not None:
            self._thread.submit(self._release).result()
            self._thread.shutdown()
            self._thread = None

    def _open(self) -> None:
        # Read when the context is made; another may have another size.
        settings = self._model.vis
        settings.global_.offwidth, settings.global_.offheight = self._view.width, self._view.height
        if self._fast:
            settings.quality.shadowsize = settings.quality.offsamples = 0
        # The buffer that is drawn into is part of MuJoCo's context; the platform's own surface stays unused.
        self._surface: Any = _platform_context()(16, 16)
        self._surface.make_current()
        self._scene = mujoco.MjvScene(self._model, maxgeom=1000)
        if self._fast:
            self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._context: Any = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def _draw(self, data: mujoco.MjData, camera: int) -> NDArray[np.uint8]:
        self._camera.fixedcamid = camera
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, everything, self._scene)
        mujoco.mjr_render(self._view, self._scene, self._context)
        picture = np.empty((self._view.height, self._view.width, 3), np.uint8)
        mujoco.mjr_readPixels(picture, None, self._view, self._context)
        return picture[::-1].copy()

    def _release(self) -> None:
        self._context.free()
        self._surface.free()


def _platform_context() -> Any:
    """The class of OpenGL contexts of the platform that draws here."""
    with windowless() as chosen:
        # By name, so that it does not matter which platform was chosen when MuJoCo was imported first.
        return mujoco.GLContext if chosen is None else importlib.import_module(f"mujoco.{chosen}").GLContext
