"""Which platform draws, and one line where none can."""

import importlib
import os
import sys

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.envs import opengl
from lerobot.envs.opengl import VARIABLE, platform, windowless

EVERYTHING = {"EGL", "GL", "OSMesa"}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Linux machine without a display."""
    monkeypatch.setattr(sys, "platform", "linux")
    for name in (VARIABLE, "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def has(machine: pytest.MonkeyPatch, libraries: set[str]) -> None:
    machine.setattr(opengl.ctypes.util, "find_library", lambda name: f"lib{name}.so" if name in libraries else None)


@pytest.mark.parametrize(
    ("libraries", "chosen"),
    [(EVERYTHING, "egl"), ({"EGL", "GL"}, "egl"), ({"OSMesa"}, "osmesa"), ({"EGL", "OSMesa"}, "osmesa")],
)
def test_what_needs_no_window_is_preferred(machine: pytest.MonkeyPatch, libraries: set[str], chosen: str) -> None:
    has(machine, libraries)
    assert platform() == chosen


@pytest.mark.parametrize("libraries", [set(), {"EGL"}, {"GL"}])
def test_a_bare_machine_is_told_what_to_install(machine: pytest.MonkeyPatch, libraries: set[str]) -> None:
    """libEGL without libGL is not enough: it loads, and the first call ends in an AttributeError."""
    has(machine, libraries)
    with pytest.raises(LeRobotError, match="neither EGL nor a display") as caught:
        platform()
    assert caught.value.hint == "Install it: sudo apt-get install libegl1 libgl1"


def test_windows_are_left_to_the_simulator(machine: pytest.MonkeyPatch) -> None:
    has(machine, set())
    machine.setenv("DISPLAY", ":0")
    assert platform() is None
    machine.delenv("DISPLAY")
    machine.setattr(sys, "platform", "darwin")
    assert platform() is None


def test_the_variable_overrules(machine: pytest.MonkeyPatch) -> None:
    has(machine, EVERYTHING)
    machine.setenv(VARIABLE, "OSMesa")
    assert platform() == "osmesa"
    machine.setenv(VARIABLE, "glfw")
    machine.setenv("DISPLAY", ":0")
    assert platform() == "glfw"


@pytest.mark.parametrize(
    ("chosen", "said", "to_do"),
    [
        ("osmesa", "no OSMesa library", "Install it: sudo apt-get install libosmesa6"),
        ("egl", "no GL library", "Install it: sudo apt-get install libegl1 libgl1"),
        ("glfw", "no display", "Unset MUJOCO_GL."),
        ("off", "this environment needs pictures", ""),
    ],
)
def test_a_variable_that_cannot_be_is_explained(
    machine: pytest.MonkeyPatch, chosen: str, said: str, to_do: str
) -> None:
    has(machine, {"EGL"})
    machine.setenv(VARIABLE, chosen)
    with pytest.raises(LeRobotError, match=f"MUJOCO_GL is '{chosen}'.*{said}") as caught:
        platform()
    assert caught.value.hint == to_do


@pytest.mark.parametrize(("before", "chosen"), [(None, "egl"), ("osmesa", "osmesa")])
def test_the_environment_is_put_back(machine: pytest.MonkeyPatch, before: str | None, chosen: str) -> None:
    has(machine, EVERYTHING)
    if before is not None:
        machine.setenv(VARIABLE, before)
    with windowless() as found:
        assert os.environ[VARIABLE] == found == chosen
        os.environ["PYOPENGL_PLATFORM"] = chosen  # as MuJoCo does
    assert "PYOPENGL_PLATFORM" not in os.environ
    assert os.environ.get(VARIABLE) == before


def test_other_failures_of_an_import_stay_what_they_are(machine: pytest.MonkeyPatch) -> None:
    has(machine, EVERYTHING)
    with pytest.raises(ModuleNotFoundError, match="no_such_simulator"), windowless():
        importlib.import_module("no_such_simulator")
    assert VARIABLE not in os.environ
