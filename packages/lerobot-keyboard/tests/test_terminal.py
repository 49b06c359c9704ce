"""A terminal: keys arrive one by one, and it is as before on every way out."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.keyboard.terminal import TerminalKeyboard

PROGRAM = """
import fcntl, sys, termios, time
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from lerobot.keyboard.terminal import TerminalKeyboard
keyboard = TerminalKeyboard(0.5, 0.15)
keyboard.open()
print("open", flush=True)
while True:
    for key in keyboard.typed():
        print(f"<{key}>", flush=True)
        if key == "q":
            keyboard.close()
            print("closed", flush=True)
            sys.exit()
    time.sleep(0.005)
"""


def test_keys_arrive_at_once_and_are_not_shown(typist) -> None:
    keyboard = TerminalKeyboard(60.0, 60.0)
    keyboard.open()
    local = termios.tcgetattr(typist.terminal)[3]
    assert not local & (termios.ICANON | termios.ECHO)
    assert local & termios.ISIG, "Ctrl-C must still end the program"
    typist.type("w\x1b[A")
    assert keyboard.typed() == ["w", "up"]
    assert keyboard.held() == {"w", "up"}
    keyboard.close()
    keyboard.close()


def test_a_terminal_that_is_gone_is_told(typist) -> None:
    keyboard = TerminalKeyboard(0.5, 0.15)
    keyboard.open()
    typist.hang_up()
    with pytest.raises(DeviceConnectionError, match="terminal"):
        keyboard.held()
    keyboard.close()


def test_without_a_terminal_it_says_so(monkeypatch, tmp_path) -> None:
    (tmp_path / "keys").write_text("wasd")
    with (tmp_path / "keys").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(DeviceConnectionError, match="Standard input is no terminal"):
            TerminalKeyboard(0.5, 0.15).open()
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DeviceConnectionError, match="There is no standard input"):
        TerminalKeyboard(0.5, 0.15).open()


class Session:
    """The program above in a terminal of its own."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=self.theirs, stdout=self.theirs, start_new_session=True
        )
        self.wait_for("open")

    def wait_for(self, text: str) -> None:
        while text not in self.text:
            assert select.select([self.ours], [], [], 30)[0], f"no {text!r} in {self.text!r}"
            self.text += os.read(self.ours, 4096).decode()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def session():
    session = Session()
    yield session
    session.end()


def test_a_program_in_its_terminal_reads_keys_and_puts_it_back(session: Session) -> None:
    os.write(session.ours, b"a\x1b[C")
    session.wait_for("<a>")
    session.wait_for("<right>")
    os.write(session.ours, b"q")
    session.wait_for("closed")
    assert termios.tcgetattr(session.theirs) == session.before


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="the guard needs a shell")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_terminal_is_put_back_whatever_kills_the_program(session: Session, number) -> None:
    assert termios.tcgetattr(session.theirs) != session.before
    session.process.send_signal(number)
    session.process.wait()
    while termios.tcgetattr(session.theirs) != session.before:  # pytest-timeout ends it
        time.sleep(0.01)
