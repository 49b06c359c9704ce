"""The app on iOS, at the object that HEBI's library gives: its wire is closed."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from web_phone import until

from lerobot.core.errors import DeviceConnectionError
from lerobot.phone import hebi
from lerobot.phone.config import PhoneConfig
from lerobot.phone.rotations import from_quaternion
from lerobot.phone.teleoperator import Phone


class Bank:
    def __init__(self, values: dict[int, float]) -> None:
        self.values = values

    def has_float(self, channel: int) -> bool:
        return channel in self.values

    has_int = has_float

    def get_float(self, channel: int) -> float:
        return self.values[channel]

    get_int = get_float


class Group:
    """Gives feedback 100 times a second, or nothing."""

    def __init__(self) -> None:
        self.position: Any = np.zeros(3)
        self.orientation: Any = np.array([1.0, 0, 0, 0])
        self.sliders: dict[int, float] = {3: 0.5}
        self.buttons: dict[int, float] = {1: 0}
        self.silent = False

    def get_next_feedback(self, timeout_ms: float) -> Any:
        time.sleep(0.01)
        if self.silent:
            return None
        io = SimpleNamespace(a=Bank(self.sliders), b=Bank(self.buttons))
        return [SimpleNamespace(ar_position=self.position, ar_orientation=self.orientation, io=io)]


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    found = Group()
    monkeypatch.setattr(hebi, "find_group", lambda: found)
    return found


@pytest.fixture
def app(group: Group, told: Any):
    with Phone(PhoneConfig(camera_offset=(0, 0, 0), max_age_s=1.0), prompter=told) as phone:
        yield phone


def held(app: Phone, group: Group) -> None:
    group.buttons = {1: 0}
    until(lambda: not app.get_action()["phone.raw_inputs.b1"])
    group.buttons = {1: 1}
    until(lambda: app.get_action()["phone.enabled"])


def test_a_held_button_moves_in_the_frame_of_the_first_hold(app: Phone, group: Group) -> None:
    quaternion = np.array([np.cos(0.3), 0.0, 0.0, np.sin(0.3)])
    group.orientation = quaternion
    held(app, group)
    rotation = from_quaternion(np.roll(quaternion, -1))
    group.position = np.array([0.01, 0.02, 0.03])
    action = until(lambda: (found := app.get_action())["phone.pos"].any() and found)
    assert action["phone.pos"] == pytest.approx(rotation.T @ [0.01, 0.02, 0.03], abs=1e-6)
    assert action["phone.rot"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert action["phone.raw_inputs.a3"] == 0.5


@pytest.mark.parametrize("lost", ["silent", "zero", "nan"])
def test_what_is_lost_holds_until_the_button_is_let_go(app: Phone, group: Group, lost: str) -> None:
    held(app, group)
    if lost == "silent":
        group.silent = True
    else:
        group.orientation = np.full(4, 0.0 if lost == "zero" else np.nan)
    until(lambda: not app.get_action()["phone.enabled"])
    group.silent, group.orientation = False, np.array([1.0, 0, 0, 0])
    until(lambda: app.get_action()["phone.raw_inputs.b1"])
    assert not app.get_action()["phone.enabled"]
    held(app, group)


def test_a_phone_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, told: Any) -> None:
    class Lookup:
        def get_group_from_names(self, families: list[str], names: list[str]) -> None:
            assert (families, names) == (["HEBI"], ["mobileIO"])

    monkeypatch.setattr(hebi, "LOOKUP_S", 0.0)
    monkeypatch.setattr(hebi, "require", lambda *_, **__: SimpleNamespace(Lookup=Lookup))
    before = threading.active_count()
    with pytest.raises(DeviceConnectionError, match="Mobile I/O not found"):
        Phone(PhoneConfig(), prompter=told).connect()
    assert threading.active_count() <= before
