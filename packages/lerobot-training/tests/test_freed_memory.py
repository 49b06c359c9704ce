"""Memory that is freed is used again, without the system's help."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
from lerobot.training.freed_memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "kept" else True
assert kept
# Where small things lie between large ones, the first few do not fit where others were.
for _ in range(10):
    np.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages the system had to give, for 10 times 80 MB in turn."""
    done = subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another libc allocates here")
def test_freed_memory_is_used_again() -> None:
    assert faults("kept") < faults("given back") / 4
