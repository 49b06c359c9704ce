"""Signals at chosen moments of a recording: what was saved stays, the arm ends with its torque off."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.datasets.writer.recorder import DatasetRecorder

SCRIPT = '''
import importlib.util, json, os, select, sys, time
from pathlib import Path
from lerobot.core.signals import StopSignals
from lerobot.datasets.record.command import record
from lerobot.datasets.record.take import Take
from lerobot.datasets.writer import commit
from lerobot.datasets.writer.recorder import DatasetRecorder

phase, root, result, kit_file = sys.argv[1:]
spec = importlib.util.spec_from_file_location("kit", kit_file)
kit = importlib.util.module_from_spec(spec)
sys.modules["kit"] = kit
spec.loader.exec_module(kit)
visits = {}


def say(text):
    os.write(1, text.encode() + b"\\n")


def linger(name):
    """At the third visit while the second episode is made: say so, then wait until every signal was sent."""
    if name != phase or not saved:
        return
    visits[name] = visits.get(name, 0) + 1
    if visits[name] == 3:
        say("READY")
        deadline = time.monotonic() + 30
        while not select.select([sys.stdin], [], [], 0.005)[0] and time.monotonic() < deadline:
            pass


def handle(self, number, frame, original=StopSignals._handle):
    say("SEEN")
    original(self, number, frame)


def wrapped(name, original):
    def function(*args):
        linger(name)
        return original(*args)
    return function


def save(self, original=DatasetRecorder.save_episode):
    done = original(self)
    saved.append(done.index)
    return done


saved = []
StopSignals._handle = handle
DatasetRecorder.save_episode = save
Take._record = wrapped("record", Take._record)
Take._reset = wrapped("reset", Take._reset)
commit.publish = wrapped("save", commit.publish)
try:
    code = record(kit.config(Path(root), dataset={"num_episodes": 4, "reset_time_s": 1, "episode_time_s": 0.5}))
except KeyboardInterrupt as interrupt:
    code = 1000 + interrupt.number
finally:
    log = [entry.event for entry in kit.BUILT[0].log]
    Path(result).write_text(json.dumps({"code": code, "last": log[-1], "saved": saved}))
'''


def interrupted(tmp_path: Path, phase: str, signals: list[signal.Signals]) -> dict | None:
    script, result, kit = tmp_path / "run.py", tmp_path / "result.json", Path(__file__).with_name("conftest.py")
    script.write_text(SCRIPT)
    command = [sys.executable, script, phase, tmp_path / "set", result, kit]
    environment = {**os.environ, "HF_LEROBOT_HOME": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        while (line := process.stdout.readline()) != "READY\n":
            assert line, process.stderr.read()
        for number in signals:
            process.send_signal(number)
            # Two signals of a kind that are pending together count as one.
            while number != signal.SIGKILL and (line := process.stdout.readline()) != "SEEN\n":
                assert line, process.stderr.read()
        if signal.SIGKILL in signals:
            process.wait(60)
            return None
        _, errors = process.communicate("go\n", timeout=60)
        assert process.returncode == 0, errors
    return json.loads(result.read_text())


def check_dataset(kit, root: Path, episodes: int) -> None:
    """So many whole episodes are there, and recording can go on."""
    assert len(kit.lengths(root)) == kit.info(root)["total_episodes"] == episodes
    recorder = DatasetRecorder.resume(root)
    assert recorder.info.total_episodes == episodes
    recorder.close()


SIGNALS = {"once": [signal.SIGINT], "twice": [signal.SIGINT, signal.SIGINT], "term": [signal.SIGTERM]}


OFTEN = {("record", "term"), ("reset", "once"), ("save", "twice")}
"""What is tried in every run of the tests; the rest is slow."""
RUNS = [
    pytest.param(phase, episodes, how, marks=() if (phase, how) in OFTEN else pytest.mark.slow)
    for phase, episodes in (("record", 1), ("reset", 1), ("save", 2))
    for how in SIGNALS
]


@pytest.mark.parametrize(("phase", "episodes", "how"), RUNS)
def test_a_signal_ends_in_the_safe_state_and_keeps_what_was_saved(tmp_path, kit, phase, episodes, how):
    result = interrupted(tmp_path, phase, SIGNALS[how])
    number = SIGNALS[how][0]
    assert result["last"] == "torque off"
    # While an episode is saved the robot goes on: the second signal finds it in a tick, or already at rest.
    codes = {1000 + number} if how == "twice" else {128 + number}
    assert result["code"] in (codes | {128 + number} if phase == "save" else codes)
    assert len(result["saved"]) == episodes
    check_dataset(kit, tmp_path / "set", episodes)


@pytest.mark.parametrize("phase", ["record", "reset", "save"])
def test_a_kill_loses_at_most_the_episode_in_progress(tmp_path, kit, phase):
    interrupted(tmp_path, phase, [signal.SIGKILL])
    check_dataset(kit, tmp_path / "set", 1)
