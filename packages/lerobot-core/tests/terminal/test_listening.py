"""A terminal: keys arrive one by one, each at one listener, and it is as before on every way out."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.prompts import TerminalPrompter
from lerobot.core.terminal import KEYS, KeyListener, TerminalKeys, terminal_keys
from lerobot.core.testing import Typist

PROGRAM = """
import fcntl, sys, termios, time
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from lerobot.core.terminal import KEYS, terminal_keys
keyboard = terminal_keys.listen("the test", KEYS)
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


@pytest.fixture
def listen() -> Iterator[Callable[..., KeyListener]]:
    """Listeners at one reader, closed after the test."""
    keys, opened = TerminalKeys(), []

    def listen(*arguments: Any, **named: Any) -> KeyListener:
        opened.append(keys.listen(*arguments, **named))
        return opened[-1]

    yield listen
    for listener in opened:
        listener.close()


def settings(typist: Typist) -> int:
    return termios.tcgetattr(typist.terminal)[3]


def test_keys_arrive_at_once_and_are_not_shown(typist: Typist, listen) -> None:
    before = settings(typist)
    listener = listen("the test", KEYS, hold_s=60.0)
    local = settings(typist)
    assert not local & (termios.ICANON | termios.ECHO)
    assert local & termios.ISIG, "Ctrl-C must still end the program"
    typist.type("w\x1b[A")
    assert listener.typed() == ["w", "up"]
    assert listener.held() == {"w", "up"}
    listener.close()
    listener.close()
    assert settings(typist) == before


def test_a_key_goes_to_the_first_who_needs_it_then_to_the_first_who_can_use_it(typist, listen) -> None:
    arm = listen("the arm", {"left", "right"}, spare={"s", "q", "x"})
    command = listen("the command", {"left", "n", "s"})
    third = listen("a third", {"n"}, spare={"x"})
    typist.type("\x1b[Dnsqxz")
    assert arm.typed() == ["left", "q", "x"]
    assert command.typed() == ["n", "s"]
    assert third.typed() == []
    assert (arm.lost, command.lost, third.lost) == ({}, {"left": "the arm"}, {"n": "the command"})
    assert command.owns("s")
    assert command.owns("z"), "nobody else gets it"
    assert not arm.owns("s")


def test_who_leaves_frees_the_keys_and_the_last_one_the_terminal(typist, listen) -> None:
    before = settings(typist)
    first, second = listen("first", {"a"}), listen("second", {"a"})
    first.close()
    typist.type("a")
    assert second.typed() == ["a"]
    assert settings(typist) != before
    second.close()
    assert settings(typist) == before
    assert second.typed() == []


def test_every_press_counts_for_one_who_holds_nothing(typist, listen) -> None:
    listener = listen("the test", KEYS, hold_s=0.0)
    typist.type("nnn")
    assert listener.typed() == ["n", "n", "n"]
    assert listener.held() == set()


def test_a_question_is_answered_in_a_terminal_that_shows_what_is_typed(typist, monkeypatch) -> None:
    listener = terminal_keys.listen("the test", KEYS)
    during = []
    read = sys.stdin.readline
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(readline=lambda: (during.append(settings(typist)), read())[1]))

    def answer() -> None:
        while not during:
            time.sleep(0.001)
        typist.type("yes\n")

    hands = threading.Thread(target=answer)
    hands.start()
    assert TerminalPrompter().ask("Really? ") == "yes"
    hands.join()
    assert during[0] & termios.ICANON
    assert during[0] & termios.ECHO
    assert not settings(typist) & (termios.ICANON | termios.ECHO)
    assert listener.typed() == []
    listener.close()


def test_a_terminal_that_is_gone_is_told(typist, listen) -> None:
    listener = listen("the test", KEYS)
    typist.hang_up()
    with pytest.raises(DeviceConnectionError, match="terminal"):
        listener.held()
    listener.close()


def test_without_a_terminal_it_says_so(monkeypatch, tmp_path, listen) -> None:
    (tmp_path / "keys").write_text("wasd")
    with (tmp_path / "keys").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(DeviceConnectionError, match="Standard input is no terminal"):
            listen("the test", KEYS)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DeviceConnectionError, match="There is no standard input"):
        listen("the test", KEYS)


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
