"""Lines of integers on a serial port, whole and torn."""

import contextlib
import os
import pty
import threading
import tty
from collections.abc import Iterator

import pytest

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError, NotConnectedError
from lerobot.motors.serial.integer_lines import KEPT_LINES, IntegerLines

PATIENCE_S = 5.0


@pytest.fixture
def line() -> Iterator[tuple[int, IntegerLines]]:
    """A pseudo-terminal to write to, and the lines of three integers that arrive on it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    lines = IntegerLines(os.ttyname(slave), 115_200, 3)
    yield master, lines
    lines.close()
    os.close(master)
    os.close(slave)


def taken(lines: IntegerLines, last: tuple[int, ...]) -> list[tuple[int, ...]]:
    """What arrives until a certain line does."""
    found: list[tuple[int, ...]] = []
    while last not in found:
        with contextlib.suppress(DeviceTimeoutError):  # none came yet
            found += lines.take(PATIENCE_S)
    return found


def test_whole_lines_are_taken_once_and_in_order(line: tuple[int, IntegerLines]) -> None:
    master, lines = line
    lines.open()
    os.write(master, b"0 0 0\n1 2 3\n4 5 6\r\n7 8")
    assert taken(lines, (4, 5, 6)) == [(1, 2, 3), (4, 5, 6)], "what comes before the first newline may be cut"
    os.write(master, b" 9\n")
    assert taken(lines, (7, 8, 9)) == [(7, 8, 9)]
    assert lines.take(PATIENCE_S) == []


def test_longer_lines_are_cut_where_they_are_wanted() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    lines = IntegerLines(os.ttyname(slave), 115_200, 3, or_more=True)
    lines.open()
    os.write(master, b"0\n1 2\n1 2 3 4\n5 6 7\n")
    assert taken(lines, (5, 6, 7)) == [(1, 2, 3), (5, 6, 7)]
    lines.close()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    "torn",
    [
        b"1 2",
        b"1 2 3 4",
        b"",
        b"a b c",
        b"1_0 2 3",
        b"+1 2 3",
        b"-1 2 3",
        b"1.5 2 3",
        b"1 2 123456",
        b"\xff 2 3",
        b"9" * 9999,
    ],
)
def test_any_other_line_is_left_out(line: tuple[int, IntegerLines], torn: bytes) -> None:
    master, lines = line
    lines.open()
    os.write(master, b"\n1 1 1\n")
    for part in (torn[: len(torn) // 2], torn[len(torn) // 2 :], b"\n2 2 2\n"):
        while part:
            part = part[os.write(master, part[:1000]) :]
    assert taken(lines, (2, 2, 2)) == [(1, 1, 1), (2, 2, 2)]


def test_what_nobody_takes_is_bounded(line: tuple[int, IntegerLines]) -> None:
    master, lines = line
    lines.open()
    os.write(master, b"\n")
    for number in range(3 * KEPT_LINES):
        os.write(master, f"{number} 0 0\n".encode())
    last = (3 * KEPT_LINES - 1, 0, 0)
    while last not in lines._lines.copy():
        pass
    assert lines.take(PATIENCE_S) == [(number, 0, 0) for number in range(2 * KEPT_LINES, 3 * KEPT_LINES)]


def test_waiting_forgets_what_was_there(line: tuple[int, IntegerLines]) -> None:
    master, lines = line
    lines.open()
    os.write(master, b"\n1 1 1\n")
    while not lines._lines:
        pass
    enough = threading.Event()

    def print_on() -> None:
        while not enough.wait(0.01):
            os.write(master, b"2 2 2\n")

    printer = threading.Thread(target=print_on)
    printer.start()
    lines.wait_for_next(PATIENCE_S)
    enough.set()
    printer.join()
    assert set(lines.take(PATIENCE_S)) == {(2, 2, 2)}


def test_silence_and_loss_are_told_apart(line: tuple[int, IntegerLines]) -> None:
    master, lines = line
    with pytest.raises(NotConnectedError):
        lines.take(PATIENCE_S)
    lines.open()
    with pytest.raises(DeviceTimeoutError, match=r"No line of 3 integers came on port .* for 0\.01 s"):
        lines.wait_for_next(0.01)
    os.write(master, b"\n1 1 1\n")
    assert taken(lines, (1, 1, 1)) == [(1, 1, 1)]
    with pytest.raises(DeviceTimeoutError):
        lines.take(0.0)
    lines.close()
    with pytest.raises(NotConnectedError):
        lines.take(PATIENCE_S)


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceConnectionError, match="'/dev/nothing-here': there is no such port"):
        IntegerLines("/dev/nothing-here", 115_200, 3).open()
