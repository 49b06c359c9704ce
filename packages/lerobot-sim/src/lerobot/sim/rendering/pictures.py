"""Choosing how pictures are made, and making them from a world that moves."""

import logging
from typing import Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DeviceError
from lerobot.sim.rendering.opengl import LIBRARIES, OpenGL, loadable
from lerobot.sim.rendering.painter import Painter
from lerobot.sim.rendering.rays import RayCaster
from lerobot.sim.world import World

log = logging.getLogger(__name__)


class Renderer(Protocol):
    """Something that makes pictures of one model."""

    name: str
    """As in the configuration: `egl`, `osmesa`, `painter` or `rays`."""

    def render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> NDArray[np.uint8]:
        """What a camera sees, `(H, W, 3)` uint8 RGB."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


def available() -> list[str]:
    """Names of the renderers that can be loaded on this machine."""
    return [*(platform for platform in LIBRARIES if loadable(platform)), "painter", "rays"]


def make_renderer(kind: str, model: mujoco.MjModel) -> Renderer:
    """Make the renderer a configuration asks for.

    Args:
        kind: `egl`, `osmesa`, `painter`, `rays`, or `auto` for EGL on a graphics card, else the painter.
        model: the scene.

    Raises:
        DeviceError: the OpenGL platform that was asked for cannot be used here.
    """
    if kind == "painter":
        return Painter(model)
    if kind == "rays":
        return RayCaster(model)
    if kind == "auto":
        return _best(model)
    return _opengl(kind, model)


def _best(model: mujoco.MjModel) -> Renderer:
    """OpenGL if a graphics card draws, else the painter: it is faster than OpenGL on the CPU at every size."""
    why = "EGL cannot be loaded here"
    if loadable("egl"):
        try:
            renderer = _opengl("egl", model)
        except DeviceError as error:
            why = error.what
        else:
            if renderer.is_accelerated:
                log.info("pictures are rendered by OpenGL (egl) on %s", renderer.driver)
                return renderer
            why = f"EGL has no graphics card here ({renderer.driver})"
            renderer.close()
    log.info("pictures are painted in software (painter): %s", why)
    return Painter(model)


def _opengl(kind: str, model: mujoco.MjModel) -> OpenGL:
    if not loadable(kind):
        raise _unusable(kind, f"a library of {' and '.join(LIBRARIES[kind])} is not installed")
    try:
        return OpenGL(model, kind)
    except Exception as error:  # OpenGL bindings raise anything at all, AttributeError included
        raise _unusable(kind, f"{type(error).__name__}: {error}") from error


def _unusable(kind: str, why: str) -> DeviceError:
    return DeviceError(
        f"renderer '{kind}' cannot be used: {why}",
        expected=f"one of {', '.join(available())}",
        hint="Leave it at 'auto', or choose 'painter', which needs no system package.",
    )


class Pictures:
    """Makes pictures of a world; the renderer is made at the first one.

    Args:
        world: the scene.
        kind: see `make_renderer`.
    """

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self._kind = kind
        self._renderer: Renderer | None = None

    def render(self, view: str, width: int, height: int) -> NDArray[np.uint8]:
        """What the camera `view` sees now, `(H, W, 3)` uint8 RGB."""
        with self.world.lock:
            if self._renderer is None:
                self._renderer = make_renderer(self._kind, self.world.model)
            return self.world.randomization.grain(self._renderer.render(self.world.data, view, width, height))

    def close(self) -> None:
        """Release the renderer; the next picture makes a new one."""
        with self.world.lock:
            if self._renderer is not None:
                self._renderer.close()
                self._renderer = None
