"""Starts `lerobot train` in forks of one process that has imported everything; one job a line on standard input.

`["start", FLAGS, PROCESSES, LOG]` is answered with the id of what was started, which leads a group of its own;
`["poll", ID]` with its exit code, or with null while it runs. Several processes find each other as a launcher's do.
"""

import json
import os
import signal
import socket
import sys

import accelerate  # noqa: F401 - imported once, here, and not in every run
import torch._dynamo  # noqa: F401 - as above

import lerobot.training.command  # noqa: F401 - as above
from lerobot_cli import main


def start(flags: list[str], processes: int, log: str) -> int:
    """Fork a run; gives its id."""
    if process := os.fork():
        return process
    os.setsid()
    for descriptor, path in enumerate((os.devnull, log, log)):
        os.dup2(os.open(path, (os.O_WRONLY | os.O_CREAT | os.O_APPEND) if descriptor else os.O_RDONLY), descriptor)
    sys.argv = ["lerobot", "train", *flags]
    sys.exit(main() if processes == 1 else together(processes))


def together(processes: int) -> int:
    """Fork the processes of a run, and wait for them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free.getsockname()[1]}
    started = []
    for rank in range(processes):
        if (process := os.fork()) == 0:
            mine = {**place, "RANK": rank, "LOCAL_RANK": rank}
            os.environ.update({name: str(value) for name, value in mine.items()})
            sys.exit(main())
        started.append(process)
    return max(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) != 0 for process in started)


def poll(process: int) -> int | None:
    """Exit code of a run, None while it runs."""
    found, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    running: set[int] = set()
    for line in sys.stdin:
        job, *words = json.loads(line)
        answer = {"start": start, "poll": poll}[job](*words)
        if job == "start":
            running.add(answer)
        elif answer is not None:
            running.remove(words[0])
        print(json.dumps(answer), flush=True)
    for left in running:
        os.killpg(left, signal.SIGKILL)
