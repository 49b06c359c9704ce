"""Pictures without a window: which OpenGL platform there is, and what to install where there is none."""

import ctypes.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lerobot.core.errors import LeRobotError

VARIABLE = "MUJOCO_GL"
"""Where dm_control, when it is imported, reads its platform from."""

LIBRARIES = {"egl": ("EGL", "GL"), "osmesa": ("OSMesa",)}
"""System libraries of the platforms that need no window."""

INSTALL = "Install it: sudo apt-get install libegl1 libgl1"


def platform() -> str | None:
    """Choose the platform pictures are made with.

    Returns:
        What `MUJOCO_GL` says, or else the first platform without a window whose libraries are here; None where windows
        are all there is (macOS, Windows, a Linux desktop without EGL), which dm_control finds by itself.

    Raises:
        LeRobotError: libraries of the chosen platform are missing, or there is neither a platform nor a display.
    """
    if chosen := os.environ.get(VARIABLE):
        if missing := _missing(chosen.lower()):
            raise LeRobotError(
                f"{VARIABLE}={chosen}, but this machine has no {' and no '.join(missing)} library", hint=INSTALL
            )
        return chosen
    if sys.platform != "linux":
        return None
    found = next((name for name in LIBRARIES if not _missing(name)), None)
    if found is None and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise LeRobotError("ALOHA's pictures need OpenGL, and this machine has neither EGL nor a display", hint=INSTALL)
    return found


def _missing(name: str) -> list[str]:
    return [library for library in LIBRARIES.get(name, ()) if ctypes.util.find_library(library) is None]


@contextmanager
def importing_with(name: str | None) -> Iterator[None]:
    """Tell what is imported inside the block which platform to take, and put the environment back after it."""
    before = os.environ.get(VARIABLE)
    if name is not None:
        os.environ[VARIABLE] = name
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
