"""What sticks and buttons do; numbers and signs are those of huggingface/lerobot's documentation."""

import subprocess
import sys

import pytest

from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.gamepad.config import GamepadConfig
from lerobot.gamepad.teleoperator import GamepadTeleoperator


@pytest.fixture
def connect(plug_in):
    """A virtual pad and a teleoperator connected to it."""
    connected = []

    def connect(**fields):
        pad = plug_in()
        teleop = GamepadTeleoperator(GamepadConfig.model_validate(fields))
        connected.append(teleop)
        teleop.connect()
        return pad, teleop

    yield connect
    for teleop in connected:
        teleop.disconnect()


@pytest.mark.parametrize(
    ("axis", "value", "expected"),
    [
        (1, -1.0, (1, 0, 0, 1)),
        (1, 0.5, (-0.5, 0, 0, 1)),
        (0, -0.5, (0, 0.5, 0, 1)),
        (3, -1.0, (0, 0, 1, 1)),
        (2, 1.0, (0, 0, 0, 1)),
        (0, 0.09, (0, 0, 0, 1)),
        (0, 0.11, (0, -0.11, 0, 1)),
    ],
)
def test_sticks_move_the_end_effector(connect, axis, value, expected) -> None:
    pad, teleop = connect()
    pad.axis(axis, value)
    assert tuple(teleop.get_action().values()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("buttons", "gripper"), [([], 1), ([6], 0), ([7], 2), ([6, 7], 1)])
def test_buttons_move_the_gripper_while_they_are_held(connect, buttons, gripper) -> None:
    pad, teleop = connect()
    for button in buttons:
        pad.button(button, True)
    assert teleop.get_action()["gripper"] == gripper
    for button in buttons:
        pad.button(button, False)
    assert teleop.get_action()["gripper"] == 1


@pytest.mark.parametrize(
    ("button", "events"),
    [
        (3, {"success"}),
        (1, {"terminate_episode", "failure"}),
        (0, {"terminate_episode", "rerecord_episode"}),
        (2, set()),
    ],
)
def test_a_press_is_told_once_even_if_it_was_short(connect, button, events) -> None:
    pad, teleop = connect()
    pad.button(button, True)
    teleop.get_action()
    pad.button(button, False)
    teleop.get_action()
    assert {name for name, active in teleop.get_teleop_events().items() if active} == events
    assert not any(teleop.get_teleop_events().values())


def test_an_intervention_lasts_as_long_as_its_button(connect) -> None:
    pad, teleop = connect()
    pad.button(5, True)
    assert teleop.get_teleop_events()["is_intervention"]
    assert teleop.get_teleop_events()["is_intervention"]
    pad.button(5, False)
    assert not teleop.get_teleop_events()["is_intervention"]


def test_axes_and_buttons_can_be_set(connect) -> None:
    pad, teleop = connect(
        axes={"x": 4, "y": 5, "z": 2, "inverted": ["z"]}, buttons={"success": 9}, deadzone=0.3, use_gripper=False
    )
    for axis, value in ((4, 0.6), (5, 0.2), (2, 0.5)):
        pad.axis(axis, value)
    pad.button(9, True)
    assert teleop.get_action() == pytest.approx({"delta_x": 0.6, "delta_y": 0.0, "delta_z": -0.5}, abs=1e-3)
    assert teleop.get_teleop_events()["success"]


def test_each_teleoperator_hears_its_own_pad(connect) -> None:
    first, one = connect()
    second, two = connect(index=1)
    first.axis(1, -1.0)
    second.axis(1, 1.0)
    second.button(3, True)
    assert one.get_action()["delta_x"] == pytest.approx(1, abs=1e-3)
    assert two.get_action()["delta_x"] == pytest.approx(-1, abs=1e-3)
    assert not one.get_teleop_events()["success"]
    assert two.get_teleop_events()["success"]
    second.unplug()
    one.get_action()
    with pytest.raises(DeviceConnectionError, match="unplugged"):
        two.get_action()


def test_the_queue_of_events_never_fills_up(connect) -> None:
    import pygame

    pad, teleop = connect()
    for value in range(50):
        pad.axis(1, value / 50)
        teleop.get_action()
    assert not pygame.event.get(exclude=(pygame.QUIT,))


def test_what_the_pad_does_not_have_is_refused_by_name(connect) -> None:
    with pytest.raises(DeviceError, match=r"has 6 axes, but axes\.z=6 is configured"):
        connect(axes={"z": 6})
    with pytest.raises(DeviceError, match=r"has 15 buttons, but buttons\.success=15, buttons\.failure=99|has 15"):
        connect(buttons={"success": 15, "failure": 99})


def test_an_unplugged_pad_is_told(connect) -> None:
    pad, teleop = connect()
    teleop.get_action()
    pad.unplug()
    with pytest.raises(DeviceConnectionError, match="unplugged"):
        teleop.get_action()


def test_without_a_pad_there_is_one_clear_line(plug_in) -> None:
    teleop = GamepadTeleoperator(GamepadConfig())
    with pytest.raises(DeviceConnectionError, match=r"^No gamepad was found\."):
        teleop.connect()
    assert not teleop.is_connected
    plug_in()
    with pytest.raises(DeviceConnectionError, match="There is no gamepad 1, 1 are connected"):
        GamepadTeleoperator(GamepadConfig(index=1)).connect()


def test_signals_and_output_stay_the_programs_own() -> None:
    """In a process of its own, because handlers and the greeting of pygame come once."""
    program = """
import signal
from lerobot.core.errors import DeviceConnectionError
from lerobot.gamepad.config import GamepadConfig
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
try:
    GamepadConfig().build().connect()
except DeviceConnectionError:
    print("no pad")
assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
signal.raise_signal(signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-15, "no pad\n")
