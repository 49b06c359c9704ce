"""The hook: nothing outside of the studio; inside, a robot that holds as soon as nothing is heard of a page."""

import json
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.control import CallableSource, ControlLoop
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.joints import RANGES
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.hooks import Hooks, tell_run
from lerobot.core.safety import SafetyGate
from lerobot.core.safety.latch import stop_latch
from lerobot.core.types import JointTravel
from lerobot.studio.inside import hook as module
from lerobot.studio.inside.hook import GONE, PATIENCE_S, StudioHook
from lerobot.studio.inside.link import Link
from lerobot.studio.inside.wire import FILE, HEAD

TARGETS = {f"{joint}.pos": 10.0 for joint in RANGES}


class Clock:
    """A clock that tests move, for the loop and for the hook."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def now(self) -> float:
        return self.time_s

    def sleep_until(self, deadline: float) -> None:
        self.time_s = max(self.time_s, deadline)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock.now)
    return clock


class DeafLink(Link):
    """A link without a studio, whose clock is the test's."""

    def start(self) -> None:
        self.heard_s = module.time.monotonic()

    def close(self, patience_s: float = 0.0) -> None:
        pass


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Link:
    link = DeafLink(tmp_path / "studio.json", "run")
    monkeypatch.setattr(module, "studio_link", lambda: link)
    return link


class Driven:
    """A fake arm in a loop with the hook; `beat` says when a page is heard."""

    def __init__(self, clock: Clock, config: Any, beat: Any = lambda time_s: None) -> None:
        self.clock, self.config, self.beat = clock, config, beat
        self.robot = FakeRobot(FakeRobotConfig(), clock=clock)
        self.stopped: list[tuple[float, bool]] = []
        self.hook = StudioHook()

    def run(self, seconds: float) -> None:
        hooks = Hooks()
        hooks.register(self.hook, "studio")
        hooks.register(self, "test")
        with self.robot, hooks.run("teleoperate", self.config):
            gate = SafetyGate.for_robot(self.robot)
            source = CallableSource(self._choose)
            ControlLoop(self.robot, source, gate, fps=60, hooks=hooks, sinks=[self]).run(duration_s=seconds)

    def _choose(self, _observation: Any) -> dict[str, float]:
        return dict(TARGETS)

    def write(self, tick: Any) -> None:
        self.beat(self.clock.now())
        self.stopped.append((tick.start_s, tick.stopped))


class Config(dict):
    """Stands for a command's configuration: pairs of field and value."""

    def __iter__(self) -> Any:
        return iter(self.items())


ROBOT = {"robot": FakeRobotConfig()}


def test_without_a_studio_nothing_happens(monkeypatch: pytest.MonkeyPatch, clock: Clock, lerobot_home: Path) -> None:
    monkeypatch.delenv(FILE, raising=False)
    driven = Driven(clock, Config(ROBOT))
    driven.run(5.0)
    assert not any(stopped for _, stopped in driven.stopped)


@pytest.mark.usefixtures("link")
def test_a_robot_holds_when_nothing_is_heard(clock: Clock, lerobot_home: Path) -> None:
    begin_s = clock.now()
    driven = Driven(clock, Config(ROBOT))
    driven.run(4.0)
    first = next(time_s for time_s, stopped in driven.stopped if stopped)
    assert PATIENCE_S < first - begin_s <= PATIENCE_S + 2 / 60
    stop = stop_latch().present
    assert stop is not None
    assert GONE in stop.reason


def test_a_robot_moves_while_the_page_is_heard_and_holds_after(clock: Clock, link: Link, lerobot_home: Path) -> None:
    begin_s = clock.now()

    def beat(time_s: float) -> None:
        if time_s - begin_s < 10.0:
            link.heard_s = time_s

    driven = Driven(clock, Config(ROBOT), beat)
    driven.run(13.0)
    first = next(time_s for time_s, stopped in driven.stopped if stopped)
    assert 10.0 + PATIENCE_S - 2 / 60 <= first - begin_s <= 10.0 + PATIENCE_S + 3 / 60


def test_a_release_does_not_move_a_robot_whose_page_is_still_gone(clock: Clock, link: Link, lerobot_home: Path) -> None:
    released: list[float] = []

    def beat(time_s: float) -> None:
        if stop_latch().present is not None and not released:
            stop_latch().release("a test")
            released.append(time_s)

    driven = Driven(clock, Config(ROBOT), beat)
    driven.run(4.0)
    moved_after = [time_s for time_s, stopped in driven.stopped if time_s > released[0] and not stopped]
    assert len(moved_after) <= 1
    assert stop_latch().present is not None


def test_joints_of_a_calibration_are_told_ten_times_a_second(clock: Clock, link: Link, lerobot_home: Path) -> None:
    told: list[dict[str, Any]] = []
    link.put = lambda key, frame: told.append({"key": key, **json.loads(frame[HEAD.size :])})  # type: ignore[method-assign]
    hooks = Hooks()
    hooks.register(StudioHook(), "studio")
    with hooks.run("calibrate", Config(ROBOT)):
        for turn in range(50):
            clock.time_s += 0.02
            tell_run("calibration_progress", joints={"elbow": JointTravel(-turn, 5, 9, 4096)})
    assert 8 <= len(told) <= 10
    assert told[0] == {"key": "calibration", "type": "calibration", "joints": {"elbow": [0, 5, 9, 4096]}}


@pytest.mark.usefixtures("link")
def test_a_command_without_a_robot_needs_no_page(clock: Clock, lerobot_home: Path) -> None:
    driven = Driven(clock, Config(env=1))
    driven.run(4.0)
    assert stop_latch().present is None
