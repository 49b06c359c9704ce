"""A signal at each line of a run, one run per line: the robot is always made safe, and nothing moves it after."""

import contextlib
import signal
import sys
from pathlib import Path

import pytest
from moved_clock import MovedClock

from lerobot.core.control import CallableSource, ControlLoop
from lerobot.core.safety import SafetyGate, safe_end
from lerobot.core.signals import check_stop
from lerobot.core.types import FeatureSpec, Observation

TRACED = {contextlib.__file__, __file__}
# Not the statistics of the report: they are many lines and run behind the same shield.
NAMES = {"safe_end.py", "signals.py", "loop.py"}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGUSR1)


class Arm:
    safe_state = "torque off"
    action_features = observation_features = {"joint": FeatureSpec(unit="deg", range=(-90, 90))}
    is_connected = False

    def __init__(self):
        self.log = []

    def connect(self, calibrate=True):
        self.is_connected = True
        self.log.append("connect")

    def get_observation(self):
        return Observation({"joint": 0.0})

    def send_action(self, action):
        self.log.append("move")
        return action

    def enter_safe_state(self):
        self.log.append("safe")

    def disconnect(self):
        self.is_connected = False
        self.log.append("disconnect")


def drive(arm):
    with safe_end(arm) as session:
        session.close_later("recorder", lambda: arm.log.append("closed"))
        session.connect()
        gate = SafetyGate.for_robot(arm)
        source = CallableSource(lambda observation: {"joint": 1.0})
        ControlLoop(arm, source, gate, fps=10, signals=session.signals, clock=MovedClock(0.0)).run(duration_s=0.2)


def interrupted_at(lines):
    """Drive an arm with a signal at these of the lines that are run; give its log and how many lines there were."""
    arm, count = Arm(), 0

    def trace(frame, event, _argument):
        nonlocal count
        path = frame.f_code.co_filename
        if path not in TRACED and Path(path).name not in NAMES:
            return None
        if event == "line":
            count += 1
            if count in lines:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.settrace(trace)
    try:
        drive(arm)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
        for number, handler in handlers.items():  # a signal while they were put back leaves those of the session
            signal.signal(number, handler)
    return arm.log, count


def test_without_a_signal_the_run_is_whole():
    log, lines = interrupted_at({0})
    assert log == ["connect", "move", "move", "safe", "disconnect", "closed"]
    assert lines > 300


@pytest.mark.parametrize(("signals", "step"), [(1, 1), (3, 5), pytest.param(3, 1, marks=pytest.mark.slow)])
def test_a_signal_at_any_line_ends_in_the_safe_state(signals, step):
    whole = interrupted_at({0})[1]
    for line in range(1, whole + 1, step):
        log = interrupted_at({line + 2 * number for number in range(signals)})[0]
        check_stop()  # what was interrupted while it was left stops nobody later
        if "connect" in log:
            last = max(index for index, event in enumerate(log) if event == "move") if "move" in log else 0
            assert "safe" in log[last:], (line, log)
            assert log[-2:] == ["disconnect", "closed"], (line, log)
