"""Gamepads that exist only in SDL."""

import ctypes
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

JOYSTICK_SUBSYSTEM = 0x200
GAME_CONTROLLER = 1


class VirtualPad:
    """A pad with 6 axes and 15 buttons whose sticks the test moves.

    Args:
        sdl: SDL, with its joysticks started.
    """

    def __init__(self, sdl: ctypes.CDLL) -> None:
        self._sdl = sdl
        self.index = sdl.SDL_JoystickAttachVirtual(GAME_CONTROLLER, 6, 15, 1)
        assert self.index >= 0
        self._stick = ctypes.c_void_p(sdl.SDL_JoystickOpen(self.index))
        self._attached = True

    def axis(self, number: int, value: float) -> None:
        assert self._sdl.SDL_JoystickSetVirtualAxis(self._stick, number, ctypes.c_int16(round(value * 32767))) == 0

    def button(self, number: int, down: bool) -> None:
        assert self._sdl.SDL_JoystickSetVirtualButton(self._stick, number, ctypes.c_uint8(down)) == 0

    def unplug(self) -> None:
        if self._attached:
            self._attached = False
            self._sdl.SDL_JoystickDetachVirtual(self.index)
            self._sdl.SDL_JoystickClose(self._stick)


@pytest.fixture(scope="session")
def sdl() -> ctypes.CDLL:
    """The SDL that pygame's wheel brings."""
    spec = importlib.util.find_spec("pygame")
    assert spec is not None
    assert spec.origin is not None
    (library,) = (Path(spec.origin).parents[1] / "pygame.libs").glob("libSDL2-2*")
    sdl = ctypes.CDLL(str(library))
    sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
    return sdl


@pytest.fixture
def plug_in(sdl: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], VirtualPad]]:
    """Plug virtual pads in; they are gone after the test."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    assert sdl.SDL_InitSubSystem(JOYSTICK_SUBSYSTEM) == 0
    pads: list[VirtualPad] = []

    def plug_in() -> VirtualPad:
        pads.append(VirtualPad(sdl))
        return pads[-1]

    yield plug_in
    for pad in reversed(pads):
        pad.unplug()
    sdl.SDL_QuitSubSystem(JOYSTICK_SUBSYSTEM)
