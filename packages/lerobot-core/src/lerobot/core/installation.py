"""What `lerobot doctor` says of the machine: facts that packages find out, and what to do about them."""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.paths import lerobot_home

SAMPLE_BYTES = 32 * 2**20
SLOW_DISK = 20e6
"""Bytes per second below which a disk cannot take two uncompressed pictures of 640x480 at 10 Hz."""
FULL_DISK = 5 * 2**30


@dataclass(frozen=True)
class Fact:
    """One thing a package found out about the machine.

    Attributes:
        subject: what was looked at, such as `"accelerator"`.
        found: what is there, with versions and figures.
        advice: what to do about it; empty where nothing needs to be done.
    """

    subject: str
    found: str
    advice: str = ""


def own_facts() -> Iterator[Fact]:
    """What core itself knows: the interpreter and the disk of datasets and checkpoints."""
    yield Fact(
        "python", f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores ({sys.executable})"
    )
    yield _disk(lerobot_home())


def _disk(home: Path) -> Fact:
    place = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    try:
        rate = _write_rate(place)
    except OSError as error:
        return Fact("disk", f"{place} cannot be written: {error.strerror}", "Set HF_LEROBOT_HOME to a folder of yours.")
    advice = ""
    if free < FULL_DISK:
        advice = "Make room, or set HF_LEROBOT_HOME to a folder on another disk."
    elif rate < SLOW_DISK:
        advice = "Too slow to record pictures on; set HF_LEROBOT_HOME to a folder on a faster disk."
    return Fact("disk", f"{free / 2**30:.0f} GiB free at {place}, written at {rate / 1e6:.0f} MB/s", advice)


def _write_rate(folder: Path) -> float:
    """Bytes per second that reach the disk, on a file that is gone afterwards."""
    sample = os.urandom(2**20)
    with tempfile.TemporaryFile(dir=folder) as file:
        start = time.perf_counter()
        for _ in range(SAMPLE_BYTES // len(sample)):
            file.write(sample)
        file.flush()
        os.fsync(file.fileno())
        return SAMPLE_BYTES / (time.perf_counter() - start)
