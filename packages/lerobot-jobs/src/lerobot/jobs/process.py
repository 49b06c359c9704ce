"""A process that does shards for `lerobot.jobs.local`: numbers of shards come in, one line of JSON each goes out.

It is a program of its own, started as `python -m lerobot.jobs.process PLAN`, so that nothing but text passes between
the two, and the script that began the job is not run again.
"""

import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path

from lerobot.core.errors import LeRobotError
from lerobot.jobs.shard import run_shard


def main() -> None:
    """Serve until the driver closes the line or is gone."""
    # Ctrl-C reaches every process of a terminal; the driver decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan_file = Path(sys.argv[1])
    # What a worker prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked: queue.Queue[int] = queue.Queue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        index = asked.get()
        answers.write(json.dumps(_answer(plan_file, index)) + "\n")
        answers.flush()


def _listen(asked: "queue.Queue[int]") -> None:
    for line in sys.stdin:
        asked.put(int(line))
    # Also in the middle of a shard: nobody waits for it, and the next driver begins it anew.
    os._exit(0)


def _answer(plan_file: Path, index: int) -> dict[str, object]:
    try:
        run_shard(plan_file, index)
    except LeRobotError as error:
        return {"failed": index, "what": error.what, "expected": error.expected, "hint": error.hint}
    except Exception as error:  # noqa: BLE001 # a mistake in a worker ends the job in the driver, not this process
        traceback.print_exc()
        return {"failed": index, "what": f"{type(error).__name__}: {error}", "expected": "", "hint": ""}
    return {"ended": index}


if __name__ == "__main__":
    main()
