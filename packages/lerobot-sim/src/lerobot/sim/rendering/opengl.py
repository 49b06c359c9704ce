"""Pictures by MuJoCo's own renderer, where a windowless OpenGL can be loaded.

An OpenGL context belongs to one thread, and readers of cameras are several: all of it happens on a thread of its own.
"""

import ctypes.util
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

SOFTWARE = ("llvmpipe", "softpipe", "swr", "swrast", "software")
"""What drivers that draw on the CPU are called."""

VARIABLE = "PYOPENGL_PLATFORM"
"""What a platform's module sets for the whole process when it is imported."""

LIBRARIES = {"egl": ("EGL", "GL"), "osmesa": ("OSMesa",)}
"""System libraries each windowless platform needs."""


def loadable(platform: str) -> bool:
    """Whether the libraries of a platform are on this machine; importing it without them fails in ugly ways."""
    return all(ctypes.util.find_library(library) for library in LIBRARIES[platform])


def bound() -> str | None:
    """The platform that this process draws with, once something was drawn: PyOpenGL cannot change it."""
    module = sys.modules.get("OpenGL.platform")
    return type(module.PLATFORM).__module__.rpartition(".")[2] if module else None


@contextmanager
def _variable_kept(name: str) -> Iterator[None]:
    """Put a variable of the environment back after the block."""
    before = os.environ.get(name)
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


class OpenGL:
    """Renders one model from any of its cameras.

    Args:
        model: the scene.
        platform: `"egl"` or `"osmesa"`.

    Attributes:
        driver: what OpenGL says draws the pictures, such as the name of the graphics card.

    Raises:
        Exception: the platform cannot make a context after all; which exception, only its library knows.
    """

    def __init__(self, model: mujoco.MjModel, platform: str) -> None:
        self.name = platform
        self.driver = ""
        self._model = model
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sim-opengl")
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._scene = mujoco.MjvScene(model, maxgeom=1000)
        self._options = mujoco.MjvOption()
        try:
            self._thread.submit(self._open, platform).result()
        except BaseException:
            self._thread.shutdown()
            raise

    @property
    def is_accelerated(self) -> bool:
        """Whether a graphics card draws, not the CPU."""
        return not any(name in self.driver.lower() for name in SOFTWARE)

    def _open(self, platform: str) -> None:
        # PyOpenGL notes that its accelerator for drawing is missing; nothing is drawn through it.
        logging.getLogger("OpenGL.acceleratesupport").setLevel(logging.WARNING)
        if bound() not in {None, platform}:
            raise RuntimeError(f"this process draws with {bound()} already, and OpenGL keeps to its first platform")
        # Each platform module is asked by name, so that no environment variable has to choose one for the process.
        with _variable_kept(VARIABLE):
            module = importlib.import_module(f"mujoco.{platform}")
        # The offscreen buffer is part of MuJoCo's context; the platform's own surface is never drawn to.
        self._surface: Any = module.GLContext(16, 16)
        self._surface.make_current()
        self._context: Any = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        from OpenGL import GL  # type: ignore[import-untyped] # binds to the platform chosen a line above

        self.driver = GL.glGetString(GL.GL_RENDERER).decode()
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> NDArray[np.uint8]:
        """See `Painter.render`."""
        return self._thread.submit(self._render, data, camera, width, height).result()

    def _render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> NDArray[np.uint8]:
        self._camera.fixedcamid = self._model.camera(camera).id
        image = np.empty((height, width, 3), np.uint8)
        view = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjv_updateScene(
            self._model, data, self._options, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL.value, self._scene
        )
        mujoco.mjr_render(view, self._scene, self._context)
        mujoco.mjr_readPixels(image, None, view, self._context)
        return image[::-1].copy()

    def close(self) -> None:
        """Release the context."""
        self._thread.submit(self._release).result()
        self._thread.shutdown()

    def _release(self) -> None:
        self._context.free()
        self._surface.free()
