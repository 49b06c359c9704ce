"""Runs programs in forks of one process that has all but the client of the Hub, which reads its settings when imported.

One program a line on standard input: its text, its environment, and the files for its `result` and for what it says.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import lerobot.datasets.lerobot_dataset  # noqa: F401 - imported once, here, and not in every fork


def run(program: str, environment: dict[str, str], answer: str, said: str) -> int:
    """Be a process of its own, which never returns."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        names = {"__name__": "__main__", "Path": Path, "result": None}
        exec(program, names)
        Path(answer).write_text(json.dumps(names["result"]))
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    assert "huggingface_hub" not in sys.modules
    for line in sys.stdin:
        if (process := os.fork()) == 0:
            run(*json.loads(line))
        print(os.waitpid(process, 0)[1], flush=True)
