"""The latched stop: nothing moves while it is set, in any phase, whoever commands; then softly on."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moved_clock import MovedClock

from lerobot.core.commands.stop import StopConfig
from lerobot.core.control import CallableSource, ControlLoop, SequenceSource
from lerobot.core.errors import ConfigError, SafetyError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.hooks import Hooks, hookimpl
from lerobot.core.safety import GatedRobot, Latch, SafetyConfig, SafetyGate, safe_end, stop_latch
from lerobot.core.safety.loops import announced, running_loops
from lerobot.core.stop.command import stop
from lerobot.core.types import FeatureSpec, Observation, Stamp

HZ = 50
CONFIG = SafetyConfig(ramp_s=0.2, stop_after_s=1.0)


@pytest.fixture(autouse=True)
def home(lerobot_home):
    return lerobot_home


class Rover:
    """A joint and a drive that do at once what they are told, and write down every command."""

    safe_state = "motors off"
    action_features = observation_features = {
        "pan.pos": FeatureSpec(unit="deg", range=(-90, 90), max_velocity=180),
        "x.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3)),
    }
    is_connected = True

    def __init__(self):
        self.clock = MovedClock()
        self.values = {"pan.pos": 10.0, "x.vel": 0.0}
        self.commands = []

    def get_observation(self):
        return Observation(self.values, dict.fromkeys(self.values, Stamp(self.clock.now())))

    def send_action(self, action):
        self.commands.append(dict(action))
        self.values |= action
        return dict(action)


def gated(rover, latch, config=CONFIG):
    return GatedRobot(rover, SafetyGate.for_robot(rover, config), latch=latch)


def turn(robot, action):
    """One tick."""
    robot.observe()
    sent = robot.send(action)
    robot.robot.clock.time += 1 / HZ
    return sent


# --- the latch -------------------------------------------------------------------------------------------------------


def test_it_holds_until_it_is_released_and_says_who_set_it(tmp_path):
    latch = Latch(tmp_path / "run")
    assert latch.present is None
    assert latch.release("nobody") is None
    latch.set("smoke", "the test")
    assert Latch(tmp_path / "run").present == latch.present, "another process sees the same"
    assert (latch.present.reason, latch.present.source) == ("smoke", "the test")
    assert Latch(tmp_path / "run").release("a person").reason == "smoke"
    assert latch.present is None, "a release elsewhere counts here"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"reason": 1}', '{"reason": "a", "source": "b", "time_s": "?"}'])
def test_that_the_file_exists_is_the_stop_whatever_is_in_it(tmp_path, content):
    latch = Latch(tmp_path)
    latch.path.write_text(content)
    assert latch.present is not None


def test_a_disk_that_takes_no_file_does_not_keep_this_process_from_stopping(tmp_path, monkeypatch):
    latch = Latch(tmp_path / "run")
    monkeypatch.setattr(Latch, "_write", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    latch.set("smoke", "the test")
    assert latch.present is not None
    latch.release("a person")
    assert latch.present is None


# --- nothing moves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("asked", [{"pan.pos": 60.0, "x.vel": 0.3}, {}, "nonsense"])
def test_a_stopped_robot_keeps_its_pose_and_zeroes_its_velocity(tmp_path, enabled, asked):
    rover, latch = Rover(), Latch(tmp_path)
    robot = gated(rover, latch, CONFIG.model_copy(update={"enabled": enabled}))
    for _ in range(20):
        turn(robot, {"pan.pos": 12.0, "x.vel": 0.1})
    pan = rover.commands[-1]["pan.pos"]
    latch.set("smoke", "the test")
    for _ in range(200):
        sent = turn(robot, asked)
        assert sent.stopped
        assert sent.interventions == {"pan.pos": "stopped", "x.vel": "stopped"}
        assert sent.sent == {"pan.pos": pan, "x.vel": 0.0}


def test_after_the_release_it_begins_softly_from_where_it_is(tmp_path):
    rover, latch = Rover(), Latch(tmp_path)
    robot = gated(rover, latch)
    turn(robot, {"pan.pos": 10.0})
    latch.set("smoke", "the test")
    turn(robot, {"pan.pos": -80.0})
    rover.values["pan.pos"] = 20.0  # somebody pushed it
    latch.release("a person")
    pans = [turn(robot, {"pan.pos": -80.0, "x.vel": 0}).sent["pan.pos"] for _ in range(60)]
    assert pans[0] == 20.0, "it engages from the measured pose"
    assert pans[1] > 17.0, "a ramp, slower than the velocity limit"
    assert pans[-1] == pytest.approx(-80.0)


def test_a_stop_before_the_pose_was_measured_sends_nothing(tmp_path):
    rover, latch = Rover(), Latch(tmp_path)
    latch.set("smoke", "the test")
    with pytest.raises(SafetyError, match="before the robot's pose was measured"):
        gated(rover, latch).send({"pan.pos": 0.0})
    assert rover.commands == []


EVENTS = st.one_of(
    st.just(("set",)),
    st.just(("release",)),
    st.just(("begin",)),
    st.just(("rest",)),
    st.just(("hold",)),
    st.tuples(st.just("pause"), st.floats(0, 5)),
    st.tuples(st.just("send"), st.floats(-200, 200), st.floats(-2, 2)),
    st.tuples(st.just("send"), st.just(float("nan")), st.just(None)),
)


@given(events=st.lists(EVENTS, max_size=60), enabled=st.booleans())
def test_nothing_moves_between_a_stop_and_its_release_whatever_happens(tmp_path_factory, events, enabled):
    latch = Latch(tmp_path_factory.mktemp("run"))
    other = Latch(latch.path.parent)  # as another process has it
    rover = Rover()
    robot = gated(rover, latch, CONFIG.model_copy(update={"enabled": enabled}))
    robot.observe()
    robot.send(dict(rover.values))
    stopped_at, is_stopped = None, False
    for kind, *values in events:
        before = len(rover.commands)
        if kind == "set":
            other.set("smoke", "the test")
            is_stopped = True
        elif kind == "release":
            other.release("a person")
            is_stopped, stopped_at = False, None
        elif kind == "begin":  # the next episode
            robot.begin()
        elif kind == "pause":
            rover.clock.time += values[0]
        elif kind == "rest":
            robot.rest()
        else:
            robot.observe()
            command = dict(zip(("pan.pos", "x.vel"), values, strict=True)) if kind == "send" else {}
            try:
                robot.send(command)
            except SafetyError:  # without a usable command for too long: never while it is stopped
                assert not is_stopped
                robot.begin()
            rover.clock.time += 1 / HZ
        if is_stopped:
            if stopped_at is None:
                pans = [command["pan.pos"] for command in rover.commands[:before] if "pan.pos" in command]
                stopped_at = next(pan for pan in reversed(pans) if math.isfinite(pan))
            for command in rover.commands[before:]:
                # What was never commanded in this episode gets no command, and stays.
                assert command.get("pan.pos", stopped_at) == stopped_at
                assert command["x.vel"] == 0.0


# --- the loop --------------------------------------------------------------------------------------------------------


def test_the_source_is_not_asked_while_stopped_and_goes_on_where_it_was():
    rover = Rover()
    asked = []

    def choose(tick):
        asked.append(tick)
        return {"pan.pos": 10.0 + tick, "x.vel": 0.0}

    class Source:
        def next_action(self, _observation, tick, /):
            return choose(tick)

    ticks = []

    class Sink:
        def write(self, tick):
            ticks.append(tick)
            if tick.index == 9:
                stop_latch().set("smoke", "the test")
            if tick.index == 19:
                stop_latch().release("a person")

    gate = SafetyGate.for_robot(rover, CONFIG)
    report = ControlLoop(rover, Source(), gate, fps=HZ, sinks=[Sink()]).run(duration_s=30 / HZ)
    assert report.ticks == 30
    assert asked == list(range(20))
    assert [tick.stopped for tick in ticks] == [False] * 10 + [True] * 10 + [False] * 10
    assert len({tick.sent["pan.pos"] for tick in ticks[9:20]}) == 1
    assert report.interventions["pan.pos"]["stopped"] == 10


def test_a_recording_waits_for_the_release():
    rover = Rover()
    actions = [{"pan.pos": 10.0, "x.vel": 0.0}] * 5
    stop_latch().set("smoke", "the test")

    class Sink:
        def write(self, tick):
            if tick.index == 99:
                stop_latch().release("a person")

    loop = ControlLoop(rover, SequenceSource(actions), SafetyGate.for_robot(rover, CONFIG), fps=HZ, sinks=[Sink()])
    report = loop.run()
    assert (report.ticks, report.ended_by) == (105, "source")


def test_a_hook_may_stop_everything():
    class TooHot:
        @hookimpl
        def control_tick(self, tick):
            if tick.index == 4:
                stop_latch().set("too hot", "hook too-hot")

    hooks = Hooks()
    hooks.register(TooHot(), "too-hot")
    rover = Rover()
    source = CallableSource(lambda observation: {"pan.pos": observation["pan.pos"] + 1, "x.vel": 0.0})
    gate = SafetyGate.for_robot(rover, SafetyConfig(ramp_s=0))
    ControlLoop(rover, source, gate, fps=HZ, hooks=hooks).run(duration_s=20 / HZ)
    assert len({command["pan.pos"] for command in rover.commands[4:]}) == 1
    assert stop_latch().present.source == "hook too-hot"


# --- sessions --------------------------------------------------------------------------------------------------------


def test_nothing_gets_power_while_a_stop_is_latched():
    robot = FakeRobot(FakeRobotConfig())
    stop_latch().set("smoke", "the test")
    with pytest.raises(SafetyError, match=r"stopped by the test \(smoke\).*nothing may move"):  # noqa: SIM117
        with safe_end(robot) as session:
            session.connect()
    assert not robot.log


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_signal_stops_and_ends_nothing(home):
    before = signal.getsignal(signal.SIGUSR1)
    robot = FakeRobot(FakeRobotConfig())
    with safe_end(robot) as session:
        session.connect()
        signal.raise_signal(signal.SIGUSR1)
        assert stop_latch().present.source == "signal SIGUSR1"
        assert not session.signals.stop_requested
    assert signal.getsignal(signal.SIGUSR1) == before
    assert (home / "run" / "stop.json").is_file(), "the end of the run releases nothing"


def test_running_sessions_are_listed_while_they_last(home):
    assert running_loops() == []
    with announced("so101_follower(black)"), announced("other"):
        assert [loop.robot for loop in running_loops()] == ["so101_follower(black)", "other"]
        assert {loop.pid for loop in running_loops()} == {os.getpid()}
    assert running_loops() == []


def test_what_a_killed_process_left_behind_is_no_running_loop(home):
    folder = home / "run" / "loops"
    folder.mkdir(parents=True)
    left = folder / "123-1.jsonl"
    left.write_text(json.dumps({"pid": 123, "robot": "arm"}) + "\n")
    assert running_loops() == []
    assert not left.exists()


def test_a_home_that_cannot_be_written_does_not_keep_a_robot_from_running(home, caplog):
    (home / "run").write_text("a file in the place of the folder")
    with announced("arm"):
        pass
    assert "cannot name it" in caplog.text


# --- the command -----------------------------------------------------------------------------------------------------


def test_it_says_when_nothing_runs_and_releases(capsys):
    assert stop(StopConfig()) == 0
    assert "No loop runs now" in capsys.readouterr().out
    assert stop(StopConfig(release=True)) == 0
    assert "Released: stopped by `lerobot stop`" in capsys.readouterr().out
    assert stop_latch().present is None
    stop(StopConfig(release=True))
    assert "Nothing was stopped." in capsys.readouterr().out


def test_it_names_a_loop_that_does_not_say_that_it_holds(capsys):
    with announced("slow_arm"):
        assert stop(StopConfig(wait_s=0)) == 1
    assert "slow_arm (process" in capsys.readouterr().out


def test_a_release_takes_no_reason():
    with pytest.raises((ConfigError, ValueError), match="a release has none"):
        StopConfig(release=True, reason="smoke")


def _lerobot(*arguments):
    program = "import sys; from lerobot_cli import main; sys.argv[0] = 'lerobot'; main()"
    return [sys.executable, "-c", program, *arguments]


@pytest.mark.timeout(60)
def test_it_stops_and_releases_a_loop_of_another_process(home, tmp_path):
    """A loop in a child process; the stop from another one; then the loop is killed, and its traces are gone."""
    seen = tmp_path / "targets"
    script = f"""
import sys
from lerobot.core.control import CallableSource, ControlLoop
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig, SafetyGate, safe_end

class Sink:
    def write(self, tick):
        print(tick.sent["shoulder_pan.pos"], int(tick.stopped), file=out, flush=True)

with open({str(seen)!r}, "w") as out, safe_end(FakeRobot(FakeRobotConfig())) as session:
    session.connect()
    source = CallableSource(lambda seen: {{key: value + 0.5 for key, value in seen.items()}})
    gate = SafetyGate.for_robot(session.robot, SafetyConfig(ramp_s=0))
    ControlLoop(session.robot, source, gate, fps=100, sinks=[Sink()], signals=session.signals).run()
"""
    child = subprocess.Popen([sys.executable, "-c", script])
    try:
        _wait_for(lambda: seen.exists() and len(seen.read_text().splitlines()) > 20)
        output = subprocess.run(_lerobot("stop"), capture_output=True, text=True, check=True, timeout=30).stdout
        assert f"(process {child.pid}) holds, after" in output
        held = _rows(seen)
        first = next(index for index, row in enumerate(held) if row[1])
        assert len({target for target, _ in held[first:]}) == 1
        time.sleep(0.1)
        assert len(_rows(seen)) > len(held), "the loop lives, and holds"
        assert _rows(seen)[-1] == held[-1]
        output = subprocess.run(_lerobot("stop", "--release"), capture_output=True, text=True, timeout=30).stdout
        assert "moves again" in output
        _wait_for(lambda: _rows(seen)[-1][0] > held[-1][0])
    finally:
        child.kill()
        child.wait(10)
    assert running_loops() == []


def _rows(path):
    return [(float(line.split()[0]), line.split()[1] == "1") for line in path.read_text().splitlines()[:-1]]


def _wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
