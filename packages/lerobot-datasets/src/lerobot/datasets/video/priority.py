"""Encoders run like everything else.

SVT-AV1 makes its threads real-time ones wherever it may, as for root, and with them the thread that starts it and all
that this one starts later. Nothing else would then get a core while an image is encoded, a robot's control loop least.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")


@contextmanager
def usual_priority() -> Iterator[None]:
    """Give this thread, and threads that are started meanwhile, the priority it had before."""
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    before = {task.name for task in _TASKS.iterdir()}
    try:
        yield
    finally:
        for task in {task.name for task in _TASKS.iterdir()} - before | {"0"}:
            # A thread that has ended meanwhile needs nothing.
            with suppress(ProcessLookupError):
                os.sched_setscheduler(int(task), policy, parameters)
