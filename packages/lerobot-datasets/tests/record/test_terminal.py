"""The command in a terminal of its own: real keys, and a terminal that is usable afterwards, whatever ended it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

from lerobot.datasets.writer.lock import STAGING_FOLDER

# Plays the shell: owns the terminal, starts the command in the foreground and outlives it.
SHELL = """
import fcntl, signal, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, lambda *_: None)
child = subprocess.Popen([sys.executable, "-c", "from lerobot_cli import main; main()", *sys.argv[1:]])
print(f"PID {child.pid}.", flush=True)
print(f"ENDED {child.wait()}.", flush=True)
sys.stdin.read()
"""
PATIENCE_S = 60


class Terminal:
    """A pseudo terminal with the command running in it."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.text = ""
        self.shell = subprocess.Popen(
            [sys.executable, "-c", SHELL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.pid = int(self.wait_for(r"PID (\d+)\.").group(1))

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on until the pattern appears; what is before its end is forgotten."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text!r}"
            if select.select([self.ours], [], [], 0.1)[0]:
                self.text += os.read(self.ours, 4096).decode(errors="replace")
        self.text = self.text[found.end() :]
        return found

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    @property
    def settings(self) -> list:
        return termios.tcgetattr(self.ours)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self.ours)
        self.ours = -1

    def close(self) -> None:
        self.shell.kill()
        self.shell.wait()
        if self.ours >= 0:
            os.close(self.ours)


@pytest.fixture
def terminal(tmp_path, lerobot_home):
    opened: list[Terminal] = []

    def start(*flags: str) -> Terminal:
        given = {
            "robot.type": "fake",
            "teleop.type": "fake",
            "dataset.repo_id": "me/test",
            "dataset.root": str(tmp_path / "set"),
            "dataset.single_task": "Wave",
            "dataset.reset_time_s": "600",
            "dataset.episode_time_s": "600",
            "safety.ramp_s": "0.1",
            "play_sounds": "false",
        }
        opened.append(Terminal("record", *[f"--{key}={value}" for key, value in given.items()], *flags))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_recording_by_keys(terminal, tmp_path, kit):
    run = terminal()
    run.wait_for("Recording episode 0")
    assert not run.settings[3] & (termios.ICANON | termios.ECHO)
    run.wait_for(r"Episode 0 \(0 of 50 saved\).*Hz")
    run.type(b"\x1b[C")
    run.wait_for("Episode 0 saved: .* unknown, ended by next")
    run.wait_for("Reset the environment: episode 1")
    run.type(b"R")
    run.wait_for("Re-record episode")
    run.wait_for("Reset the environment: episode 0")
    run.type(b"N")
    run.wait_for("Recording episode 0")
    run.type(b"\x1bO")
    run.type(b"D")
    run.wait_for("Re-record episode")
    run.wait_for("Reset the environment: episode 0")
    run.type(b"n")
    run.wait_for("Recording episode 0")
    run.type(b"f")
    run.wait_for("Episode 0 saved: .* failure, ended by failure")
    run.type(b"n")
    run.wait_for("Recording episode 1")
    run.wait_for(r"Episode 1 \(1 of 50 saved\).*Hz")
    run.type(b"\x1b")
    run.wait_for("Episode 1 saved: .* unknown, ended by stop")
    run.wait_for("ENDED 0")
    assert run.settings == run.before
    assert [row["outcome"] for row in kit.rows(tmp_path / "set") if row["frame_index"] == 0] == ["failure", "unknown"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((None, 130), (signal.SIGKILL, -9)),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((signal.SIGTERM, 143), (signal.SIGHUP, 129))),
    ],
)
def test_the_terminal_is_usable_whatever_ended_the_command(terminal, tmp_path, kit, number, code):
    run = terminal()
    run.wait_for("Recording episode 0")
    run.type(b"s")
    run.wait_for("Episode 0 saved")
    run.type(b"n")
    run.wait_for("Recording episode 1")
    assert run.settings != run.before
    if number is None:
        run.type(b"\x03")
    else:
        os.kill(run.pid, number)
    run.wait_for(f"ENDED {code}")
    deadline = time.monotonic() + PATIENCE_S
    while run.settings != run.before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run.settings == run.before
    assert len(kit.lengths(tmp_path / "set")) == 1


def test_the_terminal_is_usable_after_a_failure(terminal):
    run = terminal("--robot.fails_after=20")
    run.wait_for("observation 20 failed")
    run.wait_for("ENDED 1")
    assert run.settings == run.before


def test_a_closed_terminal_ends_the_recording_and_keeps_what_was_saved(terminal, tmp_path, kit):
    run = terminal()
    run.wait_for("Recording episode 0")
    run.type(b"s")
    run.wait_for("Episode 0 saved")
    run.type(b"n")
    run.wait_for("Recording episode 1")
    run.hang_up()
    deadline = time.monotonic() + PATIENCE_S
    while (tmp_path / "set" / STAGING_FOLDER).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    # The writer removes its staging folder at the very end of an orderly way out.
    assert not (tmp_path / "set" / STAGING_FOLDER).exists()
    assert len(kit.lengths(tmp_path / "set")) == 1
