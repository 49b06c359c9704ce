"""Homing and ranges: across the seam of an encoder, from any pose, in any direction."""

from collections.abc import Callable, Iterable

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.core.hooks import Hooks, hookimpl
from lerobot.core.prompts import TerminalPrompter
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import Motor, MotorNormMode
from lerobot.motors.serial.sweep import Sweep, calibrate_by_sweep, follow, from_sweep
from lerobot.motors.virtual import VirtualBus

TRAVEL = 2600
"""Encoder steps between the stops of the joint under test."""


class Hand:
    """Someone who moves joints from place to place while the table is shown, then presses Enter."""

    def __init__(self, move: Callable[[float], None], places: Iterable[float]) -> None:
        self._move = move
        self._places = iter(places)
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask(self, text: str) -> str:
        raise AssertionError(text)

    def pressed_enter(self) -> bool:
        place = next(self._places, None)
        if place is None:
            return True
        self._move(place)
        return False


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)


def swept(readings: Iterable[int]) -> Sweep:
    first, *rest = readings
    sweep = Sweep(first, 4096)
    for reading in rest:
        sweep.add(reading)
    return sweep


@pytest.mark.parametrize("up_first", [True, False])
def test_every_start_pose_and_direction_gives_the_same_physical_range(up_first) -> None:
    """The joint starts `offset` steps above its lower stop; its encoder was mounted so that it reads `start` there."""
    bus = FeetechMotorsBus("unused", {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    offset, stride = 700, 100
    for start in range(4096):
        lower = start - offset
        up = range(start, lower + TRAVEL, stride)
        down = range(lower + TRAVEL, lower, -stride)
        path = [*up, *down, lower, start] if up_first else [*range(start, lower, -stride), lower, *up, lower + TRAVEL]
        found = from_sweep(bus, "joint", swept(position % 4096 for position in path))

        assert found.range_max - found.range_min == TRAVEL
        assert 0 <= found.range_min < found.range_max <= 4095
        # What the homed servo reports at both stops: never across the seam.
        assert bus.homed("sts3215", lower, found.homing_offset) == found.range_min
        assert bus.homed("sts3215", lower + TRAVEL, found.homing_offset) == found.range_max
        assert abs((found.range_min + found.range_max) / 2 - 2047.5) <= 1.5
        assert -2047 <= found.homing_offset <= 2047


def test_a_wide_joint_stays_inside_the_turn() -> None:
    bus = FeetechMotorsBus("unused", {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    for start in range(0, 4096, 7):
        found = from_sweep(bus, "joint", swept((start + step) % 4096 for step in range(0, 4080, 80)))
        assert found.range_min >= 0
        assert found.range_max <= 4095


def test_a_joint_that_was_not_swept_is_refused() -> None:
    """51 steps, as in one real calibration file, are no travel."""
    bus = FeetechMotorsBus("unused", {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    with pytest.raises(CalibrationError, match=r"'joint' was moved by 51 steps only \(4.5 degrees\)"):
        from_sweep(bus, "joint", swept([4090, 45]))


def test_more_than_a_turn_is_refused() -> None:
    bus = FeetechMotorsBus("unused", {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    with pytest.raises(CalibrationError, match="turned by 4100 steps"):
        from_sweep(bus, "joint", swept(position % 4096 for position in range(0, 4101, 100)))


def test_a_servo_without_homing_refuses_a_travel_across_its_seam() -> None:
    bus = FeetechMotorsBus("unused", {"joint": Motor(1, "scs0009", MotorNormMode.DEGREES)}, protocol_version=1)
    sweep = Sweep(900, 1024)
    for reading in (1000, 76, 200):
        sweep.add(reading)
    with pytest.raises(CalibrationError, match="crossed the seam"):
        from_sweep(bus, "joint", sweep)


@pytest.mark.parametrize("mounted_at", [0, 1500, 3000, 4095])
def test_the_routine_on_servos(one: Callable[..., VirtualBus], mounted_at: int) -> None:
    """The lower stop is where the encoder reads `mounted_at`; afterwards degrees count from the middle."""
    line = one(stops=(mounted_at, mounted_at + TRAVEL), position=mounted_at + 400)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    places = [*range(400, TRAVEL + 300, 300), *range(TRAVEL, -300, -300), TRAVEL // 2]
    hand = Hand(lambda place: line.move({1: mounted_at + place}), places)

    found = calibrate_by_sweep(bus, prompter=hand)["joint"]

    assert found.range_max - found.range_min == TRAVEL
    assert bus.is_calibrated
    assert bus.read_calibration()["joint"] == found
    assert bus.read("Present_Position", "joint") == pytest.approx(0, abs=0.1)
    line.move({1: mounted_at + TRAVEL})
    assert bus.read("Present_Position", "joint") == pytest.approx(TRAVEL / 2 * 360 / 4095, abs=0.1)
    assert "NAME" in hand.said[0]
    assert hand.said[1].startswith("\x1b[3A")
    bus.disconnect()


def test_a_joint_without_stops_is_homed_where_the_sweep_begins(one: Callable[..., VirtualBus]) -> None:
    line = one(position=4000)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    found = calibrate_by_sweep(bus, full_turn=["joint"], prompter=Hand(lambda place: None, []))["joint"]
    assert (found.homing_offset, found.range_min, found.range_max) == (4000 - 2047, 0, 4095)
    assert bus.read("Present_Position", "joint", normalize=False) == 2047
    bus.disconnect()


def test_half_turn_homing_works_at_every_corner_of_the_encoder(one: Callable[..., VirtualBus]) -> None:
    """At 4095 the register cannot hold the exact offset, so the joint is homed one step beside."""
    line = one(position=4095)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    for raw, offset, reported in ((4095, 2047, 2048), (0, -2047, 2047), (2047, 0, 2047), (2061, 14, 2047)):
        line.move({1: raw})
        assert bus.set_half_turn_homings() == {"joint": offset}
        assert bus.read("Present_Position", "joint", normalize=False) == reported
    bus.disconnect()


def test_recording_a_range_across_the_seam_is_refused(one: Callable[..., VirtualBus]) -> None:
    line = one(position=3900)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    with pytest.raises(CalibrationError, match="crossed the seam of its encoder: it moved from 3900 to 4300"):
        bus.record_ranges_of_motion(prompter=Hand(lambda p: line.move({1: p}), [4000, 4100, 4300]))
    line.move({1: 1000})
    assert bus.record_ranges_of_motion(
        display_values=False, prompter=Hand(lambda p: line.move({1: p}), [1200, 2300, 900, 1500])
    ) == ({"joint": 900}, {"joint": 2300})
    with pytest.raises(CalibrationError, match="same min and max values: joint"):
        bus.record_ranges_of_motion(prompter=Hand(lambda p: None, []))
    bus.disconnect()


def test_a_run_is_told_where_joints_are_and_a_file_gets_no_tables(one, monkeypatch, capsys) -> None:
    class Watcher:
        seen = ()

        @hookimpl
        def calibration_progress(self, joints):
            self.seen = (*self.seen, joints["joint"])

    line = one(position=4000)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    places = iter([4050, 4200, 3900])
    monkeypatch.setattr(
        TerminalPrompter, "pressed_enter", lambda _: (place := next(places, None)) is None or line.move({1: place})
    )
    hooks, watcher = Hooks(), Watcher()
    hooks.register(watcher, "watcher")
    with hooks.run("calibrate", None):
        follow(bus, ["joint"], True, TerminalPrompter())
    bus.disconnect()
    assert [tuple(each) for each in watcher.seen] == [
        (4000, 4000, 4000, 4096),
        (4000, 4050, 4050, 4096),
        (4000, 4200, 4200, 4096),
        (3900, 3900, 4200, 4096),
    ]
    assert capsys.readouterr().out == ""


def test_an_arm_moved_before_homing_was_written_is_noticed(one: Callable[..., VirtualBus], monkeypatch) -> None:
    line = one(position=1000)
    bus = FeetechMotorsBus(line.port, {"joint": Motor(1, "sts3215", MotorNormMode.DEGREES)})
    bus.connect()
    bus.disable_torque()
    write = bus.write_calibration

    def bumped(calibration, cache=True) -> None:
        write(calibration, cache)
        if cache:
            line.move({1: 3000})

    monkeypatch.setattr(bus, "write_calibration", bumped)
    with pytest.raises(CalibrationError, match="outside its range"):
        calibrate_by_sweep(bus, prompter=Hand(lambda p: line.move({1: p}), [1200, 1500, 1000]))
    bus.disconnect()
