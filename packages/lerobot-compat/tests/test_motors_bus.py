"""A motor bus that a third-party plugin brings: what the base gives it, and what it must add itself."""

import contextlib

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.feetech.bus import FeetechMotorsBus
from lerobot.motors.motor import Motor, MotorNormMode

MOTORS = {"lever": Motor(3, "a1", MotorNormMode.DEGREES), "shade": Motor(7, "b2", MotorNormMode.DEGREES)}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch):
    """Of a plugin's own protocol; the lever goes up and down, the shade down, until Enter after three readings."""
    from lerobot.motors.motors_bus import MotorsBus

    class WireBus(MotorsBus):
        torque = True
        readings = iter([{"lever": 5, "shade": 9}, {"lever": 8, "shade": 8}, {"lever": 2, "shade": 7}])
        is_connected = True

        def connect(self, handshake: bool = True) -> None: ...
        def disconnect(self, disable_torque: bool = True) -> None: ...
        def read(self, data_name: str, motor: str) -> None: ...
        def write(self, data_name: str, motor: str, value: float) -> None: ...
        def sync_write(self, data_name: str, values: object) -> None: ...
        def read_calibration(self) -> dict: ...
        def write_calibration(self, calibration_dict: dict, cache: bool = True) -> None: ...

        def sync_read(self, data_name, motors=None, *, normalize=True):
            assert (data_name, normalize) == ("Present_Position", False)
            reading = next(self.readings)
            return {name: reading[name] for name in motors}

        def enable_torque(self, motors=None, num_retry: int = 0) -> None:
            self.torque = True

        def disable_torque(self, motors=None, num_retry: int = 0) -> None:
            self.torque = False

    enter = iter([False, False, True])
    monkeypatch.setattr("lerobot.compat.motors_bus.TerminalPrompter.pressed_enter", lambda _: next(enter))
    return WireBus("/dev/x", MOTORS)


def test_motors_are_known_by_name_and_by_id(bus) -> None:
    assert (bus.ids, bus.models) == ([3, 7], ["a1", "b2"])
    assert bus._get_motors_list(None) == ["lever", "shade"]
    assert bus._get_motors_list(7) == ["shade"]
    assert bus._get_motors_list(["shade", 3]) == ["shade", "lever"]
    assert (bus._get_motor_id("shade"), bus._id_to_model(3)) == (7, "a1")


def test_torque_comes_back_after_a_failed_block(bus) -> None:
    block = bus.torque_disabled()
    with contextlib.suppress(ValueError), block:
        assert not bus.torque
        raise ValueError
    assert bus.torque


def test_ranges_are_the_smallest_and_largest_until_enter(bus, capsys: pytest.CaptureFixture[str]) -> None:
    assert bus.record_ranges_of_motion() == ({"lever": 2, "shade": 7}, {"lever": 8, "shade": 9})
    assert "lever" in capsys.readouterr().out


def test_a_motor_that_stood_still_is_named(bus) -> None:
    bus.readings = iter([{"lever": 5, "shade": 9}, {"lever": 8, "shade": 9}, {"lever": 2, "shade": 9}])
    with pytest.raises(CalibrationError, match="same min and max values: shade"):
        bus.record_ranges_of_motion(display_values=False)


def test_what_a_protocol_leaves_out_is_no_silent_nothing() -> None:
    from lerobot.motors.motors_bus import MotorsBus

    with pytest.raises(TypeError, match="disable_torque"):
        type("Half", (MotorsBus,), {})("/dev/x", MOTORS)
    assert issubclass(FeetechMotorsBus, MotorsBus)
