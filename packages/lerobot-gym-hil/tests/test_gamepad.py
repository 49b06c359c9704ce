"""A pad that exists only in SDL takes the arm over."""

import ctypes
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from lerobot.gym_hil.config import GymHilConfig

JOYSTICK_SUBSYSTEM = 0x200
GAME_CONTROLLER = 1
LEFT_STICK_UP_DOWN, INTERVENTION, CLOSE, SUCCESS = 1, 5, 6, 3


def test_the_gamepad_task_is_played_with_a_pad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    spec = importlib.util.find_spec("pygame")
    assert spec is not None
    assert spec.origin is not None
    (library,) = (Path(spec.origin).parents[1] / "pygame.libs").glob("libSDL2-2*")
    sdl = ctypes.CDLL(str(library))
    sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
    assert sdl.SDL_InitSubSystem(JOYSTICK_SUBSYSTEM) == 0
    index = sdl.SDL_JoystickAttachVirtual(GAME_CONTROLLER, 6, 15, 1)
    stick = ctypes.c_void_p(sdl.SDL_JoystickOpen(index))

    def press(button: int, down: bool) -> None:
        assert sdl.SDL_JoystickSetVirtualButton(stick, button, ctypes.c_uint8(down)) == 0

    env = GymHilConfig(task="PandaPickCubeGamepad-v0", viewer=False, obs_type="environment_state_agent_pos").build()
    try:
        env.reset(seed=0)
        rest = np.array([0, 0, 0, 1], np.float32)
        assert not env.step(rest)[-1]["is_intervention"]
        assert sdl.SDL_JoystickSetVirtualAxis(stick, LEFT_STICK_UP_DOWN, ctypes.c_int16(-32767)) == 0
        press(INTERVENTION, True)
        press(CLOSE, True)
        seen, *_, info = env.step(rest)
        np.testing.assert_allclose(info["teleop_action"], [1, 0, 0, 2], atol=1e-4)
        assert seen["agent_pos"][14] == 255
        press(INTERVENTION, False)
        press(SUCCESS, True)
        _, reward, terminated, _, info = env.step(rest)
        assert (reward, terminated, info["next.success"]) == (1.0, True, True)
    finally:
        env.close()
        sdl.SDL_JoystickDetachVirtual(index)
        sdl.SDL_JoystickClose(stick)
        sdl.SDL_QuitSubSystem(JOYSTICK_SUBSYSTEM)
