"""Small helpers that programs for huggingface/lerobot begin, wait and end with."""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lerobot.core.clock import MonotonicClock

log = logging.getLogger(__name__)


def init_logging(
    log_file: Path | None = None,
    display_pid: bool = False,
    console_level: str = "INFO",
    file_level: str = "DEBUG",
    accelerator: Any = None,
) -> None:
    """Show log messages on stderr, and write them to a file.

    Args:
        log_file: file to append to; None for none.
        display_pid: show the process with each message.
        console_level: least important level that is shown.
        file_level: least important level that is written.
        accelerator: of the accelerate library; only its main process shows messages.
    """
    pid = "[PID %(process)d] " if display_pid else ""
    form = logging.Formatter(f"%(levelname)s %(asctime)s {pid}%(filename)s:%(lineno)d %(message)s")
    handlers: list[logging.Handler] = []
    if accelerator is None or accelerator.is_main_process:
        handlers.append(logging.StreamHandler())
        handlers[-1].setLevel(console_level.upper())
    if log_file is not None:
        handlers.append(logging.FileHandler(log_file))
        handlers[-1].setLevel(file_level.upper())
    for handler in handlers:
        handler.setFormatter(form)
    logging.basicConfig(level=logging.NOTSET, handlers=handlers or [logging.NullHandler()], force=True)


def precise_sleep(seconds: float, spin_threshold: float = 0.01, sleep_margin: float = 0.005) -> None:
    """Wait, and return neither early nor late.

    Args:
        seconds: how long; nothing happens if it is not positive.
        spin_threshold: accepted, and not needed.
        sleep_margin: accepted, and not needed.
    """
    del spin_threshold, sleep_margin
    if seconds > 0:
        clock = MonotonicClock()
        clock.sleep_until(clock.now() + seconds)


def get_elapsed_time_in_days_hours_minutes_seconds(elapsed_time_s: float) -> tuple[int, int, int, float]:
    """Split a time in seconds into days, hours, minutes and seconds."""
    minutes, seconds = divmod(elapsed_time_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    return days, hours, minutes, seconds


def format_big_number(num: float, precision: int = 0) -> str:
    """A number with a letter for thousands, millions and so on: 12000 is `12K`."""
    for letter in ("", "K", "M", "B", "T", "Q"):
        if abs(num) < 1000:
            return f"{num:.{precision}f}{letter}"
        num /= 1000
    return f"{num:.{precision}f}Q"


def flatten_dict(d: Mapping[str, Any], parent_key: str = "", sep: str = "/") -> dict[str, Any]:
    """One level of a nested mapping, keys joined."""
    flat: dict[str, Any] = {}
    for key, value in d.items():
        name = f"{parent_key}{sep}{key}" if parent_key else key
        flat |= flatten_dict(value, name, sep) if isinstance(value, Mapping) else {name: value}
    return flat


def unflatten_dict(d: Mapping[str, Any], sep: str = "/") -> dict[str, Any]:
    """The inverse of `flatten_dict`."""
    nested: dict[str, Any] = {}
    for name, value in d.items():
        *parents, last = name.split(sep)
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value
    return nested


def cycle(iterable: Iterable[Any]) -> Iterator[Any]:
    """Go through something again and again, such as the batches of a data loader; each time anew."""
    while True:
        yield from iterable


def move_cursor_up(lines: int) -> None:
    """Move the cursor of the terminal up, to write over lines."""
    sys.stdout.write(f"\033[{lines}A")


def inside_slurm() -> bool:
    """Whether this process is a job of Slurm."""
    return "SLURM_JOB_ID" in os.environ


def has_method(cls: object, method_name: str) -> bool:
    """Whether an object or class has a method of this name."""
    return callable(getattr(cls, method_name, None))


def busy_wait(seconds: float) -> None:
    """See `precise_sleep`, which is its name now."""
    precise_sleep(seconds)
