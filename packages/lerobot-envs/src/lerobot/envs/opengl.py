"""Pictures without a window: which OpenGL platform there is, and what to install where there is none."""

import ctypes.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lerobot.core.errors import LeRobotError

VARIABLE = "MUJOCO_GL"
"""Where MuJoCo and dm_control, when they are imported, read their platform from."""

SET_BY_IMPORT = "PYOPENGL_PLATFORM"
"""What the platform's module sets for the whole process when it is imported."""

WINDOWS = "glfw"
"""The platform that needs a display."""

LIBRARIES = {"egl": ("EGL", "GL"), "osmesa": ("OSMesa",)}
"""System libraries of the platforms that need none, the preferred first."""

PACKAGES = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}
"""Packages of Debian and Ubuntu that bring them."""


def platform() -> str | None:
    """Choose the platform pictures are made with.

    Returns:
        What `MUJOCO_GL` says, or else the first platform without a window whose libraries are here; None where windows
        are all there is (macOS, Windows, a Linux desktop without EGL), which MuJoCo finds by itself.

    Raises:
        LeRobotError: the variable names no platform that draws, libraries of the chosen platform are missing, or there
            is neither a platform nor a display.
    """
    if chosen := os.environ.get(VARIABLE, "").lower():
        return _usable(chosen)
    if sys.platform != "linux":
        return None
    found = next((name for name in LIBRARIES if not _missing(name)), None)
    if found is None and not has_display():
        raise LeRobotError("pictures need OpenGL, and this machine has neither EGL nor a display", hint=install("egl"))
    return found


def install(name: str) -> str:
    """The command that brings a platform's libraries."""
    return f"Install it: sudo apt-get install {PACKAGES[name]}"


def _usable(chosen: str) -> str:
    if chosen not in (*LIBRARIES, WINDOWS):
        raise LeRobotError(
            f"{VARIABLE} is {chosen!r}, and this environment needs pictures",
            expected=f"{', '.join(LIBRARIES)}, {WINDOWS} or nothing",
        )
    if missing := _missing(chosen):
        raise LeRobotError(
            f"{VARIABLE} is {chosen!r}, and this machine has no {' and no '.join(missing)} library",
            hint=install(chosen),
        )
    if chosen == WINDOWS and not has_display():
        raise LeRobotError(f"{VARIABLE} is {chosen!r}, and this machine has no display", hint=f"Unset {VARIABLE}.")
    return chosen


def _missing(name: str) -> list[str]:
    return [library for library in LIBRARIES.get(name, ()) if ctypes.util.find_library(library) is None]


def has_display() -> bool:
    """Whether a window can be opened: always, except on a Linux machine without a display."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def windowless() -> Iterator[str | None]:
    """Choose a platform for what is imported inside the block, and put the process's variables back after it.

    Simulators open the display when they are imported, so the import has to wait for the choice.

    Yields:
        The choice; see `platform`.

    Raises:
        LeRobotError: this machine cannot make pictures; says what to install.
    """
    chosen = platform()
    before = {variable: os.environ.get(variable) for variable in (VARIABLE, SET_BY_IMPORT)}
    if chosen is not None:
        os.environ[VARIABLE] = chosen
    try:
        yield chosen
    except ImportError as error:
        if "display" not in str(error).lower():
            raise
        raise LeRobotError(f"pictures need OpenGL: {error}", hint=install("egl")) from error
    finally:
        for variable, value in before.items():
            os.environ.pop(variable, None)
            if value is not None:
                os.environ[variable] = value
