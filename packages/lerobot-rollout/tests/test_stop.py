"""A latched stop holds whatever the policy, the strategy or the phase; then the run goes on."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from lerobot.core.control import ControlLoop
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig, SafetyGate, derive_limits, stop_latch
from lerobot.core.types import Action
from lerobot.rollout.handover import TakingOver

HELD = 20


@pytest.fixture
def stopped_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Stops everything while the robot takes its nth command, and releases it twenty commands later."""

    def plan(number: int) -> None:
        original, count = FakeRobot.send_action, 0

        def send(robot: FakeRobot, action: Action) -> Action:
            nonlocal count
            count += 1
            if count == number:
                stop_latch().set("smoke", "the test")
            if count == number + HELD:
                stop_latch().release("the test")
            return original(robot, action)

        monkeypatch.setattr(FakeRobot, "send_action", send)

    return plan


def commands(robot: FakeRobot) -> list[Action]:
    return [entry.values for entry in robot.log if entry.event == "command"]


CASES = [
    ("sync", 1),
    pytest.param("sync", 3, marks=pytest.mark.slow),
    pytest.param("sync", 15, marks=pytest.mark.slow),
    ("async", 15),
]


@pytest.mark.parametrize(("inference", "number"), CASES)
def test_nothing_moves_until_the_release(
    run: Any, robots: Any, stopped_after: Any, inference: str, number: int
) -> None:
    stopped_after(number)
    cameras = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 60}}"
    flags = [f"--inference.type={inference}", "--duration=1.5", "--safety.ramp_s=0.4"]
    assert run(cameras, "--return_to_initial_position=false", *flags) == 0
    sent = commands(robots[0])
    held = sent[number - 1 : number - 1 + HELD]
    assert len(held) == HELD
    assert all(command == held[0] for command in held)
    assert sent[-1]["shoulder_pan.pos"] == pytest.approx(10.0, abs=0.5), "afterwards the policy goes on"
    pans = [command["shoulder_pan.pos"] for command in sent]
    assert max(abs(after - before) for before, after in itertools.pairwise(pans)) < 3.0, "softly"


def test_a_hand_over_waits_with_both_arms_where_they_are(stopped_after: Any) -> None:
    """The leader that is being brought to the robot stops on its way with its torque on, and goes on afterwards."""

    class Leader:
        told: list[Any]
        feedback_features = dict.fromkeys(FakeRobotConfig().build().action_features, float)

        def get_action(self) -> Action:
            return dict.fromkeys(self.feedback_features, 30.0)

        def send_feedback(self, feedback: dict[str, float]) -> None:
            self.told.append(feedback["shoulder_pan.pos"])

        def enable_torque(self) -> None:
            self.told.append("on")

        def disable_torque(self) -> None:
            self.told.append("off")

    leader, robot = Leader(), FakeRobotConfig().build()
    leader.told = []
    robot.connect()
    config = SafetyConfig(ramp_s=0)
    limits, _ = derive_limits(robot.action_features, config)
    source = TakingOver(leader, limits, 10, moves_leader=True)  # type: ignore[arg-type]
    told_at: list[int] = []

    class Sink:
        def write(self, _tick: Any) -> None:
            told_at.append(len(leader.told))

    stopped_after(5)
    ControlLoop(robot, source, SafetyGate.for_robot(robot, config), fps=100, sinks=[Sink()]).run(duration_s=0.5)
    robot.disconnect()
    held = told_at[5 : 4 + HELD]
    assert set(held) == {6}, "on, and five steps of the way"
    assert leader.told[0] == "on"
    assert leader.told[-1] == "off"
    way = leader.told[1:-1]
    assert len(way) == 10
    assert way == sorted(way, reverse=True), "the rest of the way, after the release"
