"""What goes wrong between the program and an OpenArm in motion, and hostile actions; all through the gate."""

import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.can import Frame
from lerobot.can.packing import unpack_command
from lerobot.can.virtual import DamiaoMotor
from lerobot.core.errors import DeviceError
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.openarm.config import OpenArmFollowerConfig
from lerobot.openarm.follower import OpenArmFollower
from lerobot.openarm.virtual import openarm

IDS = range(1, 9)
SPECIAL = b"\xff" * 7
LONG_S = 60.0


@pytest.fixture
def line(start: Callable[..., VirtualBus]) -> VirtualBus:
    return start("openarm")


@pytest.fixture
def arm(line: VirtualBus, calibrations: Path) -> Iterator[OpenArmFollower]:
    arm = OpenArmFollower(
        OpenArmFollowerConfig(
            port=line.port, can_interface="slcan", side="right", id="black", calibration_dir=calibrations
        )
    )
    yield arm
    arm.disconnect()


def drive(gated: GatedRobot, times: int, goal: float = 30.0) -> None:
    for _ in range(times):
        gated.observe()
        gated.send({"joint_1.pos": goal, "joint_4.pos": goal})


def drive_until_it_fails(gated: GatedRobot) -> DeviceError:
    deadline_s = time.monotonic() + LONG_S
    while time.monotonic() < deadline_s:
        try:
            drive(gated, 1)
        except DeviceError as error:
            return error
    pytest.fail("it went on driving")


def ending(arm: OpenArmFollower, break_something: Callable[[], None]) -> DeviceError:
    """What a run ends with in which something breaks."""
    try:
        with GatedRobot.connected(arm, SOON) as gated:
            drive(gated, 3)
            break_something()
            raise drive_until_it_fails(gated)
    except DeviceError as error:
        return error


def torque_is_off(line: VirtualBus) -> bool:
    return not any(line.state(i)["Torque_Enable"] for i in IDS)


SOON = SafetyConfig(ramp_s=0.0, stop_after_s=3600)


def test_lost_and_damaged_frames_change_no_reading(arm: OpenArmFollower, line: VirtualBus) -> None:
    """5 % each: the arm is driven on, and no joint is ever seen where it is not."""
    with GatedRobot.connected(arm, SOON) as gated:
        for i in IDS:
            line.fault(i, Fault.LOST, 0.05)
            line.fault(i, Fault.CORRUPT, 0.05)
        for _ in range(25):
            drive(gated, 1, 20.0)
            for key, value in arm.measure().items():
                low, high = arm.joint_features[key].range
                assert low - 5 < value < high + 5, (key, value)
        assert arm.bus.statistics.lost
    assert torque_is_off(line)


def test_a_cut_wire_ends_the_run_with_one_line(arm: OpenArmFollower, line: VirtualBus) -> None:
    error = ending(arm, line.unplug)
    assert "was lost" in error.what
    assert "\n" not in error.what
    assert not arm.bus.is_connected


def test_a_motor_that_falls_silent_ends_with_the_others_off(arm: OpenArmFollower, line: VirtualBus) -> None:
    with GatedRobot.connected(arm, SOON) as gated:
        drive(gated, 3)
        line.fault(4, Fault.MISSING)
        error = drive_until_it_fails(gated)
        assert "joint_4 did not answer" in error.what
        assert "joint_1" not in error.what.partition("On port")[2]
        with pytest.raises(DeviceError, match="joint_4"):
            arm.enter_safe_state()
        assert [line.state(i)["Torque_Enable"] for i in IDS if i != 4] == [0] * 7
        line.mend(4)
        arm.enter_safe_state()
        assert torque_is_off(line)


def test_slow_answers_are_no_readings(arm: OpenArmFollower, line: VirtualBus, caplog: pytest.LogCaptureFixture) -> None:
    """Motors that answer a second late are given up, and switched off all the same; nobody claims to know that."""

    def slow_down() -> None:
        for i in IDS:
            line.fault(i, Fault.LATE, 1.0)

    assert "did not answer" in ending(arm, slow_down).what
    assert torque_is_off(line)
    assert "cut its power" in caplog.text


def test_garbage_on_the_line_is_survived(arm: OpenArmFollower, line: VirtualBus) -> None:
    chance = random.Random(5)
    with GatedRobot.connected(arm, SOON) as gated:
        for _ in range(25):
            line.babble(chance.randbytes(chance.randrange(1, 200)))
            drive(gated, 1, 10.0)
    assert torque_is_off(line)


def test_a_motor_that_switches_itself_off_is_said_and_ends_the_run(
    arm: OpenArmFollower, line: VirtualBus, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), GatedRobot.connected(arm, SOON) as gated:
        drive(gated, 3)
        line.fault(4, Fault.OVERLOAD)
        assert "'joint_4' has switched itself off: overload" in drive_until_it_fails(gated).what
        arm.enter_safe_state()
        assert torque_is_off(line)
    told = [record for record in caplog.records if record.name.startswith("lerobot.can")]
    assert len(told) == 1


def test_an_interrupted_supply_ends_the_run(arm: OpenArmFollower, line: VirtualBus) -> None:
    def interrupt() -> None:
        line.power(False)
        line.power(True)

    assert "lost torque without being told to" in ending(arm, interrupt).what
    assert torque_is_off(line)


# --- hostile actions -------------------------------------------------------------------------------------------------

NUMBERS = (
    0, -1, 1e308, -1e308, math.nan, math.inf, -math.inf, 1e-320, 10**400, "1", None, True, [1.0], {"a": 1},
    720.0, -720.0,
)  # fmt: skip


def hostile(chance: random.Random, keys: list[str]) -> Any:
    match chance.randrange(6):
        case 0:
            return chance.choice([None, 5, "go", [1, 2], {}, {"JOINT_1.POS": 1}, math.nan])
        case 1:
            return {chance.choice(keys): chance.choice(NUMBERS)}
        case 2:
            return {key: chance.uniform(-1, 1) * 10 ** chance.randrange(12) for key in keys}
        case 3:
            return {key: chance.choice(NUMBERS) for key in (*keys, "evil")}
        case _:
            return {key: chance.uniform(-200, 200) for key in keys}


class NearMotors:
    """The motors of an arm without a wire: they answer at once, and every frame to them is looked at.

    Args:
        arm: the arm whose frames they take.
    """

    def __init__(self, arm: OpenArmFollower) -> None:
        self._motors = [DamiaoMotor(spec, time.monotonic()) for spec in openarm().motors.values()]
        self._answers: deque[Frame] = deque()
        self.check = Checked(arm)
        for motor_id in IDS:
            self.send(Frame(motor_id, SPECIAL + b"\xfc"))
        self._answers.clear()

    def send(self, frame: Frame) -> None:
        self.check(frame.id, frame.data)
        for motor in self._motors:
            motor.refresh(time.monotonic())
            if (answer := motor.hear(frame)) is not None:
                self._answers.append(answer)

    def receive(self, _timeout_s: float) -> Frame | None:
        return self._answers.popleft() if self._answers else None


class Checked:
    """Looks at every goal that is sent to an arm.

    Args:
        arm: the arm.

    Attributes:
        goals: how many each motor was sent.
    """

    def __init__(self, arm: OpenArmFollower) -> None:
        self._motors = {motor.id: (arm.bus.model(name), arm.limits[name]) for name, motor in arm.bus.motors.items()}
        self.goals = dict.fromkeys(IDS, 0)

    def __call__(self, motor_id: int, data: bytes) -> None:
        if motor_id in self._motors and data[:7] != SPECIAL:
            model, (low, high) = self._motors[motor_id]
            goal = math.degrees(unpack_command(model, data)[0])
            assert low - 0.03 <= goal <= high + 0.03, (motor_id, goal)
            self.goals[motor_id] += 1


def test_hostile_actions_stay_inside_the_limits(arm: OpenArmFollower, line: VirtualBus) -> None:
    chance, keys, count = random.Random(11), list(arm.action_features), 300
    with GatedRobot.connected(arm, SOON) as gated:
        gated.observe()
        line.packets()
        check = Checked(arm)
        for _ in range(count):
            gated.send(hostile(chance, keys))
            gated.observe()
        for packet in line.packets():
            check(int.from_bytes(packet[:2], "big"), packet[2:])
    assert all(goals >= count / 4 for goals in check.goals.values()), check.goals
    assert torque_is_off(line)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_hostile_actions_stay_inside_the_limits(
    arm: OpenArmFollower, line: VirtualBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, keys, count = random.Random(12), list(arm.action_features), 100_000
    with GatedRobot.connected(arm, SOON) as gated:
        gated.observe()
        with monkeypatch.context() as patch:
            near = NearMotors(arm)
            patch.setattr(arm.bus._link, "send", near.send)
            patch.setattr(arm.bus._link, "receive", near.receive)
            for number in range(count):
                gated.send(hostile(chance, keys))
                if number % 10 == 0:
                    gated.observe()
    assert all(goals >= count / 4 for goals in near.check.goals.values()), near.check.goals
    assert torque_is_off(line)
