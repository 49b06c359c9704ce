"""What goes wrong between the program and an OpenArm in motion, and hostile actions; all through the gate."""

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.can.packing import unpack_command
from lerobot.core.errors import DeviceError
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.core.types import Observation
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.openarm.config import OpenArmFollowerConfig
from lerobot.openarm.follower import OpenArmFollower

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


@pytest.mark.parametrize("count", [300, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_hostile_actions_stay_inside_the_limits(
    arm: OpenArmFollower, line: VirtualBus, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every goal that goes over the wire is looked at."""
    chance = random.Random(11)
    with GatedRobot.connected(arm, SOON) as gated:
        # The motors share two cores with whatever else runs: what is late in a hundred thousand ticks is no fault here.
        arm.bus.reply_wait_s = 1.0
        gated.observe()
        measured = arm.get_observation()
        monkeypatch.setattr(arm, "get_observation", lambda: Observation(measured))
        models = {motor.id: (arm.bus.model(name), arm.limits[name]) for name, motor in arm.bus.motors.items()}
        keys, seen = list(arm.action_features), dict.fromkeys(IDS, 0)
        line.packets()
        for number in range(1, count + 1):
            gated.send(hostile(chance, keys))
            if number % 100 and number != count:
                continue
            for packet in line.packets():
                motor_id, data = int.from_bytes(packet[:2], "big"), packet[2:]
                if motor_id in models and data[:7] != SPECIAL:
                    model, (low, high) = models[motor_id]
                    goal = math.degrees(unpack_command(model, data)[0])
                    assert low - 0.03 <= goal <= high + 0.03, (motor_id, goal)
                    seen[motor_id] += 1
            gated.observe()
    assert all(times > count / 4 for times in seen.values()), seen
    assert torque_is_off(line)
