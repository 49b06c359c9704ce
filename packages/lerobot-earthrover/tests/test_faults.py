"""What goes wrong between the program, the SDK and the rover; and hostile commands."""

import contextlib
import itertools
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, LeRobotError, SafetyError
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.earthrover.config import EarthRoverMiniPlusConfig
from lerobot.earthrover.robot import EarthRoverMiniPlus
from lerobot.earthrover.virtual import VirtualRover

Robots = Callable[..., EarthRoverMiniPlus]
LONG_S = 30.0
QUICK = {"max_age_s": 0.4, "max_telemetry_age_s": 0.8, "read_timeout_s": 0.5, "command_timeout_s": 0.5}
DRIVE = {"linear_velocity": 0.5, "angular_velocity": 0.1}


def drive_until_it_fails(robot: EarthRoverMiniPlus) -> LeRobotError:
    deadline_s = time.monotonic() + LONG_S
    while time.monotonic() < deadline_s:
        try:
            robot.get_observation()
            robot.send_action(DRIVE)
        except LeRobotError as error:
            return error
        time.sleep(0.01)
    pytest.fail("it went on driving")


def set_off(robot: EarthRoverMiniPlus) -> None:
    robot.send_action(DRIVE)
    robot.commander.settle(LONG_S)


def drive(robot: EarthRoverMiniPlus, times: int) -> None:
    for _ in range(times):
        robot.get_observation()
        robot.send_action(DRIVE)
        time.sleep(0.01)
    robot.commander.settle(LONG_S)


def test_a_server_that_is_not_there_is_named() -> None:
    robot = EarthRoverMiniPlus(EarthRoverMiniPlusConfig(sdk_url="http://127.0.0.1:9", connect_timeout_s=0.3))
    with pytest.raises(DeviceConnectionError, match=r"no telemetry came from http://127.0.0.1:9 .* refused") as caught:
        robot.connect()
    assert "hypercorn main:app" in caught.value.hint
    assert not robot.is_connected


def test_a_mission_that_is_not_started_is_told(rover: VirtualRover, robot: Robots) -> None:
    rover.faults.refusal = "Call /start-mission endpoint to start a mission"
    with pytest.raises(DeviceConnectionError, match="Call /start-mission"):
        robot(connect_timeout_s=0.3).connect()


def test_a_server_that_goes_away_in_motion_ends_the_run(rover: VirtualRover, robot: Robots) -> None:
    connected = robot(**QUICK)
    connected.connect()
    set_off(connected)
    rover.close()
    error = drive_until_it_fails(connected)
    assert "\n" not in error.what
    with pytest.raises(DeviceConnectionError, match="did not get through") as caught:
        connected.enter_safe_state()
    assert "switch it off" in caught.value.hint
    connected.disconnect()


def test_a_server_that_comes_back_in_time_is_heard_again(rover: VirtualRover, robot: Robots) -> None:
    connected = robot()
    connected.connect()
    drive(connected, 3)
    rover.faults.lost = 1.0
    connected.send_action({"linear_velocity": 0.25})
    time.sleep(0.3)
    before = connected.get_observation().stamps
    rover.faults.lost = 0.0
    connected.commander.settle(LONG_S)
    assert rover.velocity == (0.25, 0.0)
    while any(connected.get_observation().stamps[key].time_s <= before[key].time_s for key in ("front", "speed")):
        time.sleep(0.01)


def test_what_is_frozen_ends_the_run(rover: VirtualRover, robot: Robots) -> None:
    """The server repeats the last image and the last telemetry for ever when the rover is gone."""
    connected = robot(**QUICK)
    connected.connect()
    set_off(connected)
    rover.faults.frozen = True
    assert isinstance(drive_until_it_fails(connected), DeviceTimeoutError)
    connected.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)


@pytest.mark.parametrize("fault", ["garbage", "lost", "corrupt"])
def test_one_in_twenty_is_survived(fault: str, rover: VirtualRover, robot: Robots) -> None:
    connected = robot()
    connected.connect()
    setattr(rover.faults, fault, 0.05)
    drive(connected, 50)
    setattr(rover.faults, fault, 0.0)
    connected.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)
    assert all(abs(command["linear"]) <= 1 for command in rover.commands)


def test_nothing_but_garbage_ends_the_run_and_is_told_once(
    rover: VirtualRover, robot: Robots, caplog: pytest.LogCaptureFixture
) -> None:
    connected = robot(max_telemetry_age_s=0.4)
    connected.connect()
    set_off(connected)
    caplog.clear()
    rover.faults.garbage = 1.0
    error = drive_until_it_fails(connected)
    assert "/data answers" in error.what
    assert "\n" not in error.what
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(set(told)) <= 4
    rover.faults.garbage = 0.0
    connected.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)


def test_slow_answers_do_not_slow_the_loop(rover: VirtualRover, robot: Robots) -> None:
    connected = robot(read_timeout_s=LONG_S, command_timeout_s=LONG_S)
    connected.connect()
    rover.faults.delay_s = 0.3
    before = len(rover.requests)
    for _ in range(2000):
        connected.get_observation()
        connected.send_action(DRIVE)
    # Waiting for even one answer each time would have taken ten minutes, in which thousands were asked for.
    assert len(rover.requests) - before < 400
    connected.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)


@pytest.mark.parametrize("hour", [3600.0, -3600.0])
def test_a_clock_that_is_off_by_an_hour_changes_nothing(hour: float, rover: VirtualRover, robot: Robots) -> None:
    rover.faults.clock_offset_s = hour
    connected = robot()
    connected.connect()
    drive(connected, 20)
    rover.faults.clock_offset_s = -hour
    first = connected.get_observation().stamps["front"]
    while (now := connected.get_observation().stamps["front"]).sequence < (first.sequence or 0) + 5:
        time.sleep(0.01)
    assert first.time_s < now.time_s <= time.monotonic()


def test_a_second_client_is_stopped_by_either(rover: VirtualRover, robot: Robots) -> None:
    """The SDK lets anybody command; whoever stops the rover stops it for both, until the other commands again."""
    first, second = robot(watchdog_s=60), robot(watchdog_s=60)
    first.connect()
    second.connect()
    drive(first, 3)
    drive(second, 3)
    first.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)
    second.disconnect()
    first.get_observation()


def test_a_hanging_server_does_not_hold_disconnect() -> None:
    """It takes connections and says nothing: every wait ends, and no thread stays."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        before = set(threading.enumerate())
        robot = EarthRoverMiniPlus(EarthRoverMiniPlusConfig(sdk_url=url, connect_timeout_s=0.2, read_timeout_s=600))
        with pytest.raises(DeviceConnectionError):
            robot.connect()
        assert set(threading.enumerate()) <= before


# --- hostile commands ------------------------------------------------------------------------------------------------

NUMBERS = (
    0, -1, 1e308, -1e308, math.nan, math.inf, -math.inf, 1e-320, 10**400, "1", None, True, [1.0], {"a": 1}, b"1",
    object(), 1 + 2j, 1.0, -1.0, 1.0000001, 5e-324,
)  # fmt: skip


def hostile(chance: random.Random) -> Any:
    match chance.randrange(6):
        case 0:
            return chance.choice([None, 5, "go", [1, 2], {}, {"LINEAR_VELOCITY": 1}, math.nan])
        case 1:
            return {"linear_velocity": chance.choice(NUMBERS)}
        case 2:
            return {key: chance.uniform(-1, 1) * 10 ** chance.randrange(12) for key in DRIVE}
        case _:
            return {key: chance.choice(NUMBERS) for key in (*DRIVE, "evil")}


@contextlib.contextmanager
def watched(robot: EarthRoverMiniPlus, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, float]]]:
    """Everything that the robot hands to the thread that sends."""
    handed: list[tuple[float, float]] = []
    send = robot.commander.send

    def watch(linear: float, angular: float) -> None:
        handed.append((linear, angular))
        send(linear, angular)

    with monkeypatch.context() as patch:
        patch.setattr(robot.commander, "send", watch)
        yield handed


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_hostile_commands_stay_inside_the_limits(
    count: int, rover: VirtualRover, robot: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = robot(watchdog_s=600, max_age_s=600, max_telemetry_age_s=600)
    chance = random.Random(3)
    config = SafetyConfig(ramp_s=0.0, stop_after_s=600, max_acceleration={"linear_velocity": 1.0})
    with GatedRobot.connected(connected, config) as gated, watched(connected, monkeypatch) as handed:
        gated.observe()
        for number in range(count):
            gated.send(hostile(chance))
            if number % 100 == 0:
                gated.observe()
                connected.commander.settle(LONG_S)
        gated.rest()
    assert len(handed) == count + 1
    commands = [(each["linear"], each["angular"]) for each in rover.commands]
    assert len(commands) > count / 100
    for linear, angular in (*handed, *commands):
        assert -1 <= linear <= 1
        assert -1 <= angular <= 1
    steps = [abs(after[0] - before[0]) for before, after in itertools.pairwise(handed[:-1])]
    assert max(steps) <= 0.1 + 1e-9
    assert max(steps) > 0
    assert rover.velocity == (0.0, 0.0)


def test_a_run_without_usable_commands_ends_standing(rover: VirtualRover, robot: Robots) -> None:
    connected = robot()
    with (  # noqa: PT012 - what happens inside is what is tested
        pytest.raises(SafetyError),
        GatedRobot.connected(connected, SafetyConfig(ramp_s=0.0, stop_after_s=1.0)) as gated,
    ):
        gated.observe()
        while True:
            gated.observe()
            gated.send({"linear_velocity": math.nan})
            time.sleep(0.01)
    assert rover.velocity == (0.0, 0.0)


def test_refused_commands_are_an_error(rover: VirtualRover, robot: Robots) -> None:
    connected = robot(max_age_s=0.2)
    connected.connect()
    set_off(connected)
    rover.faults.refusal = "Failed to send control command"
    error = drive_until_it_fails(connected)
    assert isinstance(error, DeviceError)
    rover.faults.refusal = ""
    connected.enter_safe_state()
    assert rover.velocity == (0.0, 0.0)
