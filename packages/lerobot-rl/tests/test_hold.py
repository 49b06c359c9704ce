"""Between episodes a robot is told to stay, so that one with a watchdog does not think its client is gone."""

import time

import pytest

from lerobot.core.errors import DeviceError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import COMMAND, FakeRobot
from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.types import Observation
from lerobot.envs.robot import StepClock
from lerobot.rl.play.hold import holding


def commands(robot: FakeRobot) -> list[dict[str, float]]:
    return [dict(entry.values) for entry in robot.log if entry.event == COMMAND]


def test_it_is_commanded_to_stay_where_it_is() -> None:
    robot = FakeRobot(FakeRobotConfig())
    robot.connect()
    before = robot.get_observation()
    # Longer than the gate waits for a command.
    with holding(robot, SafetyGate.for_robot(robot, SafetyConfig(stop_after_s=0.1)), 50):
        until = time.monotonic() + 20
        while len(commands(robot)) < 20 and time.monotonic() < until:
            time.sleep(0.005)
    told = commands(robot)
    assert len(told) >= 20
    assert all(each == pytest.approx({key: before[key] for key in each}) for each in told)
    time.sleep(0.1)
    assert len(commands(robot)) == len(told), "nothing comes after the block"
    robot.disconnect()


def test_a_failure_meanwhile_is_said_and_what_was_done_stays_done() -> None:
    class Broken(FakeRobot):
        def get_observation(self) -> Observation:
            raise DeviceError("the arm does not answer")

    robot, done = Broken(FakeRobotConfig()), []

    def learn() -> None:
        with holding(robot, SafetyGate.for_robot(robot), 50):
            time.sleep(0.1)
            done.append(True)

    robot.connect()
    with pytest.raises(DeviceError, match="does not answer"):
        learn()
    assert done
    robot.disconnect()


def test_a_robot_without_real_time_waits_by_itself() -> None:
    robot = FakeRobot(FakeRobotConfig(), clock=StepClock())
    robot.connect()
    with holding(robot, SafetyGate.for_robot(robot), 50):
        time.sleep(0.1)
    assert not commands(robot)
    robot.disconnect()
