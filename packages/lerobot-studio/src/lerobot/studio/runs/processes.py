"""Processes of this computer that are not children of this one, known again after a restart of the studio."""

import os
import subprocess
from pathlib import Path

from lerobot.studio.inside.wire import RUN

_PROCESSES = Path("/proc")
"""What Linux tells of processes; other systems are asked with `ps`."""


def start_mark(pid: int) -> str:
    """When a process began, as the system writes it: the same number later is the same process only with this mark.

    Returns:
        The mark; empty if there is no such process, or it has ended and only waits to be asked for its code.
    """
    if _PROCESSES.exists():
        try:
            # The name of the program, in brackets, may hold spaces and brackets.
            fields = (_PROCESSES / f"{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in b"ZX" else fields[19].decode()
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    stat, _, began = found.stdout.strip().partition(" ")
    return "" if stat.startswith("Z") else began.strip()


def find_run(run: str) -> int | None:
    """Number of the process of a run, where the studio died before it could write that down; Linux alone tells."""
    wanted = f"{RUN}={run}".encode()
    for folder in _PROCESSES.glob("[0-9]*"):
        pid = int(folder.name)
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            # The command leads a session; what it started itself does not.
            if wanted in variables and os.getsid(pid) == pid:
                return pid
        except OSError:  # of another user, or gone meanwhile
            continue
    return None
