"""Processes: their exit codes, their logs, and how a signal reaches them."""

import os
import signal
from pathlib import Path

import pytest

from lerobot.core.signals import StopSignals
from lerobot.quickstart import running

ENDLESS = ("teleoperate", "--robot.type=fake", "--teleop.type=fake", "--display_data=false")


def test_exit_codes_and_words_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    with StopSignals() as signals:
        jobs = [(("plugins", "list", "robot"), log), (("plugins", "--nonsense=1"), log.with_name("b.log"))]
        assert running.run(jobs, signals, lambda: None) == [0, 2]
    assert "fake" in log.read_text()
    assert any("nonsense" in line for line in running.last_lines(log.with_name("b.log"), 5))


def test_a_signal_is_passed_on_once_and_the_command_ends_in_its_own_way(tmp_path: Path) -> None:
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    sent = []

    def look() -> None:
        if not sent and all(log.stat().st_size for log in logs):
            sent.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    with StopSignals() as signals:
        codes = running.run([(ENDLESS, log) for log in logs], signals, look)
    assert codes == [130, 130]
    assert signals.received == signal.SIGINT
    assert all("Traceback" not in log.read_text() for log in logs)


def test_what_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second signal is the user's last word."""
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up'); time.sleep(600)"
    monkeypatch.setattr(running, "_START", deaf)
    monkeypatch.setattr(running, "_LAST_WAIT_S", 0.2)
    logs = [tmp_path / "a.log", tmp_path / "b.log"]

    def look() -> None:
        if all(log.stat().st_size for log in logs):
            os.kill(os.getpid(), signal.SIGINT)

    with StopSignals() as signals:
        assert running.run([(("anything",), log) for log in logs], signals, look) == [-signal.SIGKILL] * 2


def test_the_end_of_a_log(tmp_path: Path) -> None:
    assert running.last_lines(tmp_path / "none", 3) == []
    (tmp_path / "log").write_bytes(b"one\n\n\xff two\n  \nthree\n")
    assert running.last_lines(tmp_path / "log", 2) == ["� two", "three"]
