"""The safety log: every kind of change is in it, it stays small, and no loop waits for it."""

import json
import math
import time

import pytest

from lerobot.core.control import CallableSource, ControlLoop
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig, SafetyGate, interventions, safe_end
from lerobot.core.safety.interventions import InterventionLog


def lines_in(folder):
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


def test_nothing_changed_leaves_no_file(tmp_path):
    InterventionLog(tmp_path / "safety").settle()
    assert not (tmp_path / "safety").exists()


def test_a_line_says_who_asked_for_what_and_what_was_sent(tmp_path, caplog):
    log = InterventionLog(tmp_path)
    before = time.time()
    log.add("TeleoperatorSource", {"a": 99.0, "b": 1.0}, {"a": 90.0, "b": 1.0}, {"a": "range"})
    log.settle()
    (line,) = lines_in(tmp_path)
    assert before <= line.pop("time") <= time.time()
    assert line == {
        "source": "TeleoperatorSource", "limits": {"a": "range"}, "asked": {"a": 99.0}, "sent": {"a": 90.0}, "count": 1,
    }  # fmt: skip
    assert "the safety gate changed 1 command: range 1; see " in caplog.text


def test_what_repeats_is_counted_and_nothing_is_lost(tmp_path, caplog):
    log = InterventionLog(tmp_path)
    for _ in range(5000):
        log.add("policy", {"a": 9.0}, {"a": 1.0}, {"a": "table"})
        log.add("policy", {"a": 9.0, "b": 0.0}, {"a": 1.0, "b": 1.0}, {"a": "table", "b": "velocity"})
    log.settle()
    lines = lines_in(tmp_path)
    assert len(lines) < 20
    assert sum(line["count"] for line in lines) == 10_000
    assert "10,000 commands: table 10000, velocity 5000" in caplog.text
    assert not log.counts


@pytest.mark.parametrize("value", [math.nan, -math.inf, "ten", None, [1] * 1000, object()])
def test_whatever_was_asked_for_can_be_written(tmp_path, value):
    log = InterventionLog(tmp_path)
    log.add("policy", {"a": value}, {"a": 1.0}, {"a": "not a number"})
    log.settle()
    (line,) = lines_in(tmp_path)
    assert len(json.dumps(line["asked"])) < 100


def test_a_log_ends_growing_and_old_ones_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(interventions, "MOST_BYTES", 5000)
    monkeypatch.setattr(interventions, "MOST_FILES", 3)
    for run in range(6):
        log = InterventionLog(tmp_path)
        for number in range(300):
            log.add("policy", {"a": 9.0}, {"a": 1.0}, {"a": f"limit {run} {number}"})
        log.settle()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 3
    assert all(1000 < file.stat().st_size <= 5000 for file in files)
    assert lines_in(tmp_path)[-1]["limits"]["a"].startswith("limit 5")


def test_a_disk_that_takes_nothing_ends_no_run(tmp_path, caplog):
    folder = tmp_path / "safety"
    folder.write_text("a file in the place of the folder")
    log = InterventionLog(folder)
    for _ in range(10):
        log.add("policy", {"a": 9.0}, {"a": 1.0}, {"a": "range"})
    log.settle()
    assert "cannot be written" in caplog.text
    assert "the safety gate changed 10 commands: range 10" in caplog.text


def test_a_run_writes_its_log_into_the_home_and_says_so(lerobot_home, caplog):
    with safe_end(FakeRobot(FakeRobotConfig())) as session:
        session.connect()
        source = CallableSource(lambda observation: dict.fromkeys(session.robot.action_features, 1e6))
        gate = SafetyGate.for_robot(session.robot, SafetyConfig(ramp_s=0))
        loop = ControlLoop(session.robot, source, gate, fps=100, signals=session.signals)
        loop.run(duration_s=0.1)
        ticks = loop.report.ticks
    lines = lines_in(lerobot_home / "safety")
    assert {line["source"] for line in lines} == {"CallableSource"}
    assert sum(line["count"] for line in lines) == ticks
    assert f"the safety gate changed {ticks} commands" in caplog.text


def test_a_disk_that_is_full_at_the_end_does_not_stop_the_safe_end(tmp_path, monkeypatch, caplog):
    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(interventions.os, "fsync", fail)
    log = InterventionLog(tmp_path)
    log.add("TeleoperatorSource", {"a": 99.0}, {"a": 90.0}, {"a": "range"})
    log.settle()
    assert "cannot be written" in caplog.text
