"""`lerobot find-joint-limits`: what it measures, its warm-up, its safe end, its answer to Ctrl-C."""

import ast
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lerobot.core.commands.find_joint_limits import FindJointLimitsConfig
from lerobot.core.control import Tick
from lerobot.core.devices.command import find_joint_limits
from lerobot.core.devices.joint_ranges import JointRanges
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.fake.teleoperator import FakeTeleoperator
from lerobot.core.testing import ScriptedPrompter
from lerobot.core.types import Observation


def tick(index: int, **positions: float) -> Tick:
    nothing: Any = MappingProxyType({})
    time_s = 100.0 + index / 10
    return Tick(index, index, time_s, time_s, Observation(positions), nothing, nothing, nothing, time_s, time_s)


def test_extremes_are_kept_per_joint_and_the_warm_up_is_left_out() -> None:
    prompter = ScriptedPrompter()
    ranges = JointRanges(["a", "b"], warmup_s=0.2, total_s=3.2, prompter=prompter)
    for index, (a, b) in enumerate([(-99, 99), (-99, 99), (1, 5), (-2, 7), (3, 6)]):
        ranges.write(tick(index, a=a, b=b))
    assert (ranges.smallest, ranges.largest) == ({"a": -2, "b": 5}, {"a": 3, "b": 7})
    assert prompter.said[-1] == "Time remaining: 3.0s"


def run(**fields: Any) -> tuple[int, list[str]]:
    prompter = ScriptedPrompter()
    config = FindJointLimitsConfig.model_validate(
        {
            "robot": {"type": "fake", "disable_torque_on_disconnect": False},
            "teleop": {"type": "fake"},
            "teleop_time_s": 0.4,
            "warmup_time_s": 0.1,
            **fields,
        }
    )
    return find_joint_limits(config, prompter), prompter.said


@pytest.fixture
def robots(monkeypatch: pytest.MonkeyPatch, lerobot_home: Path) -> list[FakeRobot]:
    built: list[FakeRobot] = []
    original = FakeRobot.__init__

    def remember(self: FakeRobot, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        built.append(self)

    monkeypatch.setattr(FakeRobot, "__init__", remember)
    return built


def values(said: list[str], name: str) -> list[Any]:
    line = next(line for line in said if line.startswith(f"{name} = "))
    return ast.literal_eval(line.partition(" = ")[2])


def test_the_fake_arm_is_measured_and_ends_safely(robots: list[FakeRobot]) -> None:
    code, said = run()
    assert code == 0
    assert said[:2] == ["Connecting to robot: fake...", "Devices connected."]
    assert values(said, "joints") == list(robots[0].action_features)
    assert values(said, "units") == ["deg"] * 5 + ["percent"]
    low, high = values(said, "min_pos"), values(said, "max_pos")
    assert all(smallest < largest for smallest, largest in zip(low, high, strict=True))
    assert robots[0].log[-1].event == "torque off"


def test_end_effector_bounds_are_refused_in_words(robots: list[FakeRobot]) -> None:
    _, said = run(urdf_path="so101.urdf")
    assert "no installed package computes kinematics" in said[0]


def test_results_are_shown_after_an_interrupt(robots: list[FakeRobot], monkeypatch: pytest.MonkeyPatch) -> None:
    original = FakeTeleoperator.get_action

    def interrupted(self: FakeTeleoperator) -> Any:
        if self._actions == 9:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(FakeTeleoperator, "get_action", interrupted)
    prompter = ScriptedPrompter()
    fields = {"robot": {"type": "fake"}, "teleop": {"type": "fake"}, "warmup_time_s": 0.1}
    with pytest.raises(KeyboardInterrupt):
        find_joint_limits(FindJointLimitsConfig.model_validate(fields), prompter)
    assert values(prompter.said, "max_pos")
    assert robots[0].log[-1].event == "torque off"


def test_an_end_during_the_warm_up_says_that_nothing_was_recorded(
    robots: list[FakeRobot], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: FakeTeleoperator) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeTeleoperator, "get_action", interrupted)
    prompter = ScriptedPrompter()
    fields = {"robot": {"type": "fake"}, "teleop": {"type": "fake"}}
    with pytest.raises(KeyboardInterrupt):
        find_joint_limits(FindJointLimitsConfig.model_validate(fields), prompter)
    assert prompter.said[-1] == "Nothing was recorded: the run ended during the warm-up."
    assert robots[0].log[-1].event == "torque off"
