"""Runs commands in forks of one warm process and interrupts each at its instant; one job a line on standard input."""

import json
import os
import select
import signal
import sys
import time
import weakref
from pathlib import Path
from typing import Any

import av  # noqa: F401 - imported once, here, and not in every fork
import pyarrow.parquet  # noqa: F401 - as above
import torch  # noqa: F401 - as above

import lerobot_cli
from lerobot.core.cli import app


class Last:
    """Interrupts when the last name of it goes, where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Watched:
    """Something that a weak reference can have."""


def dropped(how: str) -> None:
    """Interrupt, so that the `KeyboardInterrupt` is dropped."""
    if how == "in_del":
        Last()
        return
    watched = Watched()
    watcher = weakref.ref(watched, lambda _: signal.raise_signal(signal.SIGINT))
    del watched
    assert watcher() is None


def arm(how: str, after_s: float, tell: int) -> None:
    """Have the command that follows interrupted from inside, while it runs."""
    original = app._run

    def interrupt(*_: Any) -> None:
        os.write(tell, b"interrupted")
        dropped(how)

    def armed(*arguments: Any) -> int:
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, after_s)
        try:
            return original(*arguments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    app._run = armed


def command(arguments: list[str], log: Path, ended: int) -> None:
    """Be `lerobot` in a process of its own; never returns."""
    # A shell that starts a program in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.argv = ["lerobot", *arguments]
        lerobot_cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except KeyboardInterrupt:  # before or after the command
        code = 130
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.write(ended, b".")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str], log: Path, how: str, after_s: float) -> tuple[bool, int, float]:
    """Run a command.

    Args:
        arguments: the words after `lerobot`.
        log: file for what it says.
        how: `signal`, or where the interruption is dropped: `in_del` or `in_callback`.
        after_s: when to interrupt it.

    Returns:
        Whether it had ended before, its exit code, and the seconds it took.
    """
    read_end, write_end = os.pipe()
    begin = time.monotonic()
    # What comes while Python forks would be dropped by its own hooks, before there is a command to interrupt.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if (process := os.fork()) == 0:
        if how != "signal":
            arm(how, after_s, write_end)
        command(arguments, log, write_end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    had_ended = bool(select.select([read_end], [], [], after_s)[0]) if how == "signal" else False
    if how == "signal" and not had_ended:
        os.kill(process, signal.SIGINT)
    _, status = os.waitpid(process, 0)
    if how != "signal":
        had_ended = os.read(read_end, 11) != b"interrupted"
    os.close(read_end)
    os.close(write_end)
    return had_ended, os.waitstatus_to_exitcode(status), time.monotonic() - begin


if __name__ == "__main__":
    for line in sys.stdin:
        words, path, kind, instant = json.loads(line)
        print(json.dumps(run(words, Path(path), kind, instant)), flush=True)
