"""Robots that a program drives itself go through the safety gate."""

import signal
import threading
from itertools import pairwise

import pytest

from lerobot.compat.devices import Robot, Teleoperator
from lerobot.compat.factories import make_robot_from_config
from lerobot.compat.gated import GatedDriving, gated
from lerobot.core.errors import NotConnectedError, SafetyError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> float:
        return self.time_s

    def sleep_until(self, deadline: float) -> None:
        self.time_s = max(self.time_s, deadline)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def robot(clock: Clock):
    robot = gated(FakeRobot)(FakeRobotConfig(), clock=clock)
    robot.connect()
    yield robot
    robot.disconnect()


def key_of(robot) -> str:
    return next(iter(robot.action_features))


def test_it_is_the_robot_and_one_of_theirs(robot) -> None:
    assert isinstance(robot, FakeRobot)
    assert isinstance(robot, Robot)
    assert not isinstance(robot, Teleoperator)
    assert isinstance(make_robot_from_config(FakeRobotConfig()), type(robot))
    assert robot.robot_type == robot.name


def test_the_first_command_begins_where_the_robot_is(robot, clock: Clock) -> None:
    key = key_of(robot)
    start = robot.get_observation()[key]
    sent = [robot.send_action({key: start + 50})[key]]
    for _ in range(90):
        clock.time_s += 1 / 30
        sent.append(robot.send_action({key: start + 50})[key])
    assert sent[0] == pytest.approx(start)
    assert max(b - a for a, b in pairwise(sent)) < 2.0
    assert sent[-1] == pytest.approx(start + 50)


def test_a_target_beyond_the_range_stays_inside(robot, clock: Clock) -> None:
    key = key_of(robot)
    high = robot.driver.gated.gate.limits[key].high
    for _ in range(400):
        clock.time_s += 1 / 30
        sent = robot.send_action({key: 1e6})
    assert sent[key] == pytest.approx(high)


def test_joints_that_a_command_leaves_out_keep_their_target(robot, clock: Clock) -> None:
    first, second, *_ = robot.action_features
    start = robot.get_observation()[second]
    for _ in range(90):
        clock.time_s += 1 / 30
        robot.send_action({second: start + 10})
    for _ in range(90):
        clock.time_s += 1 / 30
        sent = robot.send_action({first: 0.0})
    assert sent[second] == pytest.approx(start + 10)


def test_after_a_pause_it_begins_softly_again(robot, clock: Clock) -> None:
    key = key_of(robot)
    for _ in range(90):
        clock.time_s += 1 / 30
        robot.send_action({key: 20.0})
    clock.time_s += 60
    assert robot.send_action({key: -20.0})[key] == pytest.approx(20.0)


def test_what_is_no_number_ends_the_run(robot, clock: Clock) -> None:
    nothing = dict.fromkeys(robot.action_features, float("nan"))
    robot.get_observation()
    for _ in range(15):
        clock.time_s += 0.125
        robot.send_action(nothing)
    clock.time_s += 0.2
    with pytest.raises(SafetyError, match="no usable command"):
        robot.send_action(nothing)


def test_it_is_off_only_when_asked(clock: Clock) -> None:
    robot = gated(FakeRobot)(FakeRobotConfig(), safety=SafetyConfig(enabled=False), clock=clock)
    robot.connect()
    key = key_of(robot)
    start = robot.get_observation()[key]
    assert robot.send_action({key: start + 50})[key] == pytest.approx(start + 50)
    robot.disconnect()


def test_a_second_robot_is_watched_though_the_first_is_released_first() -> None:
    before = signal.getsignal(signal.SIGTERM)
    first, second = (gated(FakeRobot)(FakeRobotConfig(id=name)) for name in ("first", "second"))
    first.connect()
    second.connect()
    first.disconnect()
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        signal.raise_signal(signal.SIGTERM)
    assert second.is_connected
    second.disconnect()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_thread_may_release_a_robot() -> None:
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    robot = gated(FakeRobot)(FakeRobotConfig())
    robot.connect()
    thread = threading.Thread(target=robot.disconnect)
    thread.start()
    thread.join(10)
    assert not robot.is_connected
    for number, handler in handlers.items():  # which only the main thread can
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def test_what_a_function_makes_is_gated_and_may_be_derived_from() -> None:
    def make(config: FakeRobotConfig) -> FakeRobot:
        return FakeRobot(config)

    class Named(gated(make)):
        name = "named"

    for robot in (gated(make)(FakeRobotConfig()), Named(FakeRobotConfig())):
        assert isinstance(robot, FakeRobot)
        assert isinstance(robot, GatedDriving)
    assert robot.name == "named"


def test_disconnecting_ends_in_the_safe_state_and_may_be_repeated(clock: Clock, monkeypatch) -> None:
    robot = gated(FakeRobot)(FakeRobotConfig(), clock=clock)
    robot.connect()
    reached = []
    monkeypatch.setattr(robot, "enter_safe_state", lambda: reached.append("safe"))
    robot.disconnect()
    robot.disconnect()
    assert reached == ["safe"]
    with pytest.raises(NotConnectedError):
        robot.send_action({})
