"""`lerobot stop`: sets the latched stop and says who holds, or releases it."""

import getpass
import os
import sys
import time

from lerobot.core.commands.stop import StopConfig
from lerobot.core.safety.latch import RELEASE, Stop, stop_latch
from lerobot.core.safety.loops import RunningLoop, running_loops

_POLL_S = 0.002


def stop(config: StopConfig) -> int:
    """Run the command.

    Args:
        config: validated configuration.

    Returns:
        0; 1 if a loop did not say within `wait_s` that it holds.

    Raises:
        SafetyError: the stop could be neither written nor removed.
    """
    who = f"`lerobot stop` of {_user()}, process {os.getpid()}"
    if config.release:
        _release(who)
        return 0
    stop = stop_latch().set(config.reason or "no reason given", who)
    silent = _await_holding(stop, config.wait_s)
    if not running_loops():
        _say("No loop runs now; one that is started is refused.")
    for loop in silent:
        _say(f"{loop} has sent nothing since, and holds from its next command on. Look at it.")
    _say(f"Nothing moves until: {RELEASE}")
    return 1 if silent else 0


def _await_holding(stop: Stop, wait_s: float) -> list[RunningLoop]:
    """Name loops as they hold; those that did not say so in time are left."""
    told: set[int] = set()
    deadline = time.monotonic() + wait_s
    while True:
        loops = running_loops()
        for loop in loops:
            if loop.holds_since_s is not None and loop.pid not in told:
                after_ms = max(0.0, loop.holds_since_s - stop.time_s) * 1e3
                _say(f"{loop} holds, after {after_ms:.0f} ms.")
                told.add(loop.pid)
        silent = [loop for loop in loops if loop.holds_since_s is None]
        if not silent or time.monotonic() > deadline:
            return silent
        time.sleep(_POLL_S)


def _release(who: str) -> None:
    stop = stop_latch().release(who)
    if stop is None:
        _say("Nothing was stopped.")
        return
    _say(f"Released: {stop}.")
    for loop in running_loops():
        _say(f"{loop} moves again, softly from where it is.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
