"""Real signals into a real process, in every phase of a run: the command log always ends in the safe state."""

import json
import signal
import subprocess
import sys

import pytest

SCRIPT = '''
import json, os, select, sys, time
from lerobot.core.commands.teleoperate import TeleoperateConfig
from lerobot.core.control import command, status
from lerobot.core.fake.config import FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.fake.teleoperator import FakeTeleoperator
from lerobot.core.signals import StopSignals

PHASE = sys.argv[1]
visits = {}
events = []


def say(text):
    os.write(1, text.encode() + b"\\n")


def linger(phase, visit=1):
    """At this visit of the phase under test: say so, then wait until every signal has been sent."""
    visits[phase] = visits.get(phase, 0) + 1
    if phase == PHASE and visits[phase] == visit:
        say("READY")
        deadline = time.monotonic() + 20
        while not select.select([sys.stdin], [], [], 0.005)[0] and time.monotonic() < deadline:
            pass
        events.append("lingered")


def handle(self, number, frame, original=StopSignals._handle):
    say("SEEN")
    original(self, number, frame)


StopSignals._handle = handle


class SlowRobot(FakeRobot):
    def connect(self, calibrate=True):
        super().connect(calibrate)
        linger("connect")

    def get_observation(self):
        linger("observe", 5)
        return super().get_observation()

    def send_action(self, action):
        linger("send", 5)
        return super().send_action(action)

    def enter_safe_state(self):
        linger("safe")
        super().enter_safe_state()
        events.append("safe")

    def disconnect(self):
        linger("disconnect")
        events.append("disconnect")
        super().disconnect()


class SlowTeleoperator(FakeTeleoperator):
    def get_action(self):
        linger("source", 5)
        return super().get_action()


class SlowStatus(status.StatusLine):
    def write(self, tick):
        linger("sink", 5)
        super().write(tick)


class RobotConfig(FakeRobotConfig):
    target = "__main__:SlowRobot"


class TeleoperatorConfig(FakeTeleoperatorConfig):
    target = "__main__:SlowTeleoperator"


command.StatusLine = SlowStatus
robots = []
built = RobotConfig.build
RobotConfig.build = lambda self: robots.append(built(self)) or robots[0]
length = 0.1 if PHASE in ("safe", "disconnect") else 30
try:
    code = command.teleoperate(
        TeleoperateConfig(robot=RobotConfig(), teleop=TeleoperatorConfig(), teleop_time_s=length)
    )
except KeyboardInterrupt as interrupt:
    code = 1000 + interrupt.number
finally:
    log = [entry.event for entry in robots[0].log]
    result = {"code": code, "log": log, "events": events, "torque": robots[0].torque_enabled}
    with open(sys.argv[2], "w") as file:
        json.dump(result, file)
'''

LOOP = ["observe", "source", "send", "sink"]
SIGNALS = {"once": [signal.SIGINT], "twice": [signal.SIGINT, signal.SIGINT], "term": [signal.SIGTERM]}


def interrupted_run(tmp_path, phase, signals):
    script, result = tmp_path / "run.py", tmp_path / "result.json"
    script.write_text(SCRIPT)
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, script, phase, result], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout.readline() == "READY\n", process.communicate()[1]
    for number in signals:
        process.send_signal(number)
        # Two signals of a kind that are pending together count as one.
        assert process.stdout.readline() == "SEEN\n"
    _, errors = process.communicate("go\n", timeout=60)
    assert process.returncode == 0, errors
    return json.loads(result.read_text())


RUNS = [(phase, how) for phase in ("connect", *LOOP, "safe", "disconnect") for how in SIGNALS]
# The first signal already interrupts a connection; a second one comes after the process has ended.
RUNS.remove(("connect", "twice"))
# Another number takes the same way as Ctrl-C: one phase shows it in every run, the others in the slow session.
RUNS = [pytest.param(*run, marks=pytest.mark.slow if run[1] == "term" and run[0] != "send" else ()) for run in RUNS]


@pytest.mark.parametrize(("phase", "how"), RUNS)
def test_the_command_log_ends_in_the_safe_state(tmp_path, phase, how):
    result = interrupted_run(tmp_path, phase, SIGNALS[how])
    number = SIGNALS[how][0]
    assert result["log"][-1] == "torque off"
    assert not result["torque"]
    assert [event for event in result["events"] if event != "lingered"] == ["safe", "disconnect"]
    finished = "lingered" in result["events"]
    if phase == "connect" or (phase in LOOP and how == "twice"):
        assert result["code"] == 1000 + number, "interrupted at once"
        assert not finished
    else:
        assert result["code"] == 128 + number, "noted, and what was going on was finished"
        assert finished
