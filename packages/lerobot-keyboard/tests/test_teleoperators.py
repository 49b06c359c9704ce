"""What the keys of each teleoperator do; the tables are those of the documentation of huggingface/lerobot."""

import importlib
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.terminal import KEYS, terminal_keys
from lerobot.core.testing import ScriptedPrompter
from lerobot.keyboard.config import KeyboardConfig, KeyboardEEConfig, KeyboardRoverConfig
from lerobot.keyboard.desktop import DesktopKeyboard, can_listen
from lerobot.keyboard.end_effector import KeyboardEndEffector
from lerobot.keyboard.rover import KeyboardRover
from lerobot.keyboard.teleoperator import KeyboardTeleoperator


class Hands:
    """A keyboard whose keys the test holds."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.pressed: list[str] = []

    def open(self) -> None: ...

    def close(self) -> None: ...

    def held(self) -> frozenset[str]:
        return frozenset(self.down)

    def typed(self) -> list[str]:
        pressed, self.pressed = self.pressed, []
        return pressed


@pytest.fixture
def connected():
    """A connected teleoperator and the hands on its keys."""

    def connected(cls, config):
        teleop = cls(config, prompter=ScriptedPrompter())
        teleop._keyboard = hands = Hands()
        teleop.connect()
        return teleop, hands

    return connected


def test_keyboard_passes_every_key_on(connected) -> None:
    teleop, hands = connected(KeyboardTeleoperator, KeyboardConfig())
    hands.down = {"w", "shift"}
    action = teleop.get_action()
    assert list(action) == list(KEYS)
    assert {key for key, down in action.items() if down} == {"w", "shift"}
    assert teleop.pressed() == {"w", "shift"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", (0, 0, 0, 1)),
        ("up", (0, -1, 0, 1)),
        ("down", (0, 1, 0, 1)),
        ("left", (1, 0, 0, 1)),
        ("right", (-1, 0, 0, 1)),
        ("shift", (0, 0, -1, 1)),
        ("shift_r", (0, 0, 1, 1)),
        ("page_up", (0, 0, 1, 1)),
        ("page_down", (0, 0, -1, 1)),
        ("ctrl_r", (0, 0, 0, 2)),
        ("ctrl_l", (0, 0, 0, 0)),
        ("o", (0, 0, 0, 2)),
        ("c", (0, 0, 0, 0)),
        ("up left ctrl_r", (1, -1, 0, 2)),
        ("up down", (0, 0, 0, 1)),
    ],
)
def test_keys_of_the_end_effector(connected, keys, expected) -> None:
    teleop, hands = connected(KeyboardEndEffector, KeyboardEEConfig())
    hands.down = set(keys.split())
    assert tuple(teleop.get_action().values()) == expected
    assert list(teleop.get_action()) == ["delta_x", "delta_y", "delta_z", "gripper"]
    assert teleop.get_teleop_events()["is_intervention"] is bool(keys)


def test_an_end_effector_without_a_gripper() -> None:
    teleop = KeyboardEndEffector(KeyboardEEConfig(use_gripper=False))
    assert list(teleop.action_features) == ["delta_x", "delta_y", "delta_z"]


@pytest.mark.parametrize(
    ("key", "events"),
    [
        ("s", {"success"}),
        ("r", {"terminate_episode", "rerecord_episode"}),
        ("q", {"terminate_episode"}),
        ("k", set()),
    ],
)
def test_events_are_told_once(connected, key, events) -> None:
    teleop, hands = connected(KeyboardEndEffector, KeyboardEEConfig())
    hands.pressed = [key]
    assert {name for name, active in teleop.get_teleop_events().items() if active} == events
    assert not any(teleop.get_teleop_events().values())


@pytest.mark.parametrize(
    ("keys", "linear", "angular"),
    [
        ("", 0, 0),
        ("w", 2, 0),
        ("s", -2, 0),
        ("w s", 2, 0),
        ("a", 0.6, 3),
        ("d", 0.6, -3),
        ("w a", 2, 3),
        ("s d", -2, -3),
        ("q", 0, 3),
        ("e", 0, -3),
        ("w e", 0, -3),
        ("w a x", 0, 0),
    ],
)
def test_keys_of_the_rover(connected, keys, linear, angular) -> None:
    teleop, hands = connected(KeyboardRover, KeyboardRoverConfig(linear_speed=2, angular_speed=3))
    hands.down = set(keys.split())
    assert teleop.get_action() == pytest.approx({"linear_velocity": linear, "angular_velocity": angular})


def test_the_rovers_speed_changes_once_per_press_and_not_below_its_minimum(connected) -> None:
    teleop, hands = connected(KeyboardRover, KeyboardRoverConfig())
    hands.down, hands.pressed = {"w", "+"}, ["+"]
    for _ in range(3):
        assert teleop.get_action()["linear_velocity"] == pytest.approx(1.1)
    assert teleop.angular_speed == pytest.approx(1.06)
    hands.pressed = ["-"] * 50
    assert teleop.get_action()["linear_velocity"] == pytest.approx(0.1)
    assert teleop.angular_speed == pytest.approx(0.05)


def test_keys_of_the_desktop_are_held_until_they_are_released(listener) -> None:
    keyboard = DesktopKeyboard("the test", KEYS)
    keyboard.open()
    (heard,) = listener.running_ones
    up, shift, ctrl = (SimpleNamespace(name=name) for name in ("up", "shift", "ctrl"))
    plus, equals = SimpleNamespace(char="+"), SimpleNamespace(char="=")
    for key in (up, up, shift, plus, ctrl, SimpleNamespace(name="f20"), SimpleNamespace(char=None)):
        heard.on_press(key)
    assert keyboard.held() == {"up", "shift", "+", "ctrl_l"}
    assert keyboard.typed() == ["up", "shift", "+", "ctrl_l"]
    heard.on_release(shift)
    heard.on_release(equals)
    assert keyboard.held() == {"up", "ctrl_l"}, "a plus released without Shift must not stay down"
    heard.on_release(up)
    assert keyboard.held() == {"ctrl_l"}
    heard.stop()
    heard.join()
    with pytest.raises(DeviceConnectionError, match="stopped listening"):
        keyboard.held()
    keyboard.close()


def test_keys_of_the_desktop_that_are_typed_here_belong_to_one_listener(listener, typist) -> None:
    keyboard = DesktopKeyboard("the arm", {"left"}, {"s"})
    keyboard.open()
    command = terminal_keys.listen("the command", {"left", "s"})
    (heard,) = listener.running_ones
    for key in (SimpleNamespace(name="left"), SimpleNamespace(char="s")):
        heard.on_press(key)
    typist.type("\x1b[Ds")
    assert command.typed() == ["s"]
    assert keyboard.held() == {"left"}
    assert keyboard.typed() == ["left"]
    command.close()
    keyboard.close()


def test_a_command_that_uses_keys_leaves_the_arm_those_it_needs(typist) -> None:
    teleop = KeyboardEndEffector(KeyboardEEConfig(backend="terminal"), prompter=ScriptedPrompter())
    teleop.connect()
    command = terminal_keys.listen("the command", {"left", "right", "n", "s", "q"})
    typist.type("\x1b[Dnsr")
    assert command.typed() == ["n", "s"]
    assert command.lost == {"left": "keyboard_ee", "right": "keyboard_ee"}
    assert teleop.get_action()["delta_x"] == 1.0
    events = teleop.get_teleop_events()
    assert (events["success"], events["rerecord_episode"]) == (False, True)
    command.close()
    teleop.disconnect()


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (ModuleNotFoundError("No module named 'pynput'", name="pynput"), "pynput is not installed"),
        (ImportError("this platform is not supported: Bad display name\nmore"), "pynput finds no display: this"),
    ],
)
def test_a_desktop_that_cannot_be_heard_says_why(monkeypatch, missing, told) -> None:
    imported = importlib.import_module

    def fail(name: str) -> object:
        if name.startswith("pynput"):
            raise missing
        return imported(name)

    monkeypatch.setattr("lerobot.keyboard.desktop.importlib.import_module", fail)
    with pytest.raises(DeviceConnectionError, match=told) as caught:
        DesktopKeyboard("the test", KEYS).open()
    assert caught.value.hint


@pytest.mark.parametrize(
    ("environment", "possible"),
    [
        ({"DISPLAY": ":0"}, True),
        ({}, False),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
    ],
)
def test_the_desktop_is_chosen_only_where_keys_can_be_heard(monkeypatch, environment, possible) -> None:
    if find_spec("pynput") is None:
        pytest.skip("pynput is not installed")
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert can_listen() is possible
    teleop = KeyboardTeleoperator(KeyboardConfig())
    assert isinstance(teleop._keyboard, DesktopKeyboard) is possible
