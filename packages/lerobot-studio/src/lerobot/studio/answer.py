"""Short commands whose answer a page shows: they start, say what they found, and end."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 600.0
"""Longest such a command may take; examining an installation tries every accelerator, which can take minutes."""
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said.

    Attributes:
        line: the command line, as a person would type it.
        code: exit code.
        text: what it said.
        complaint: what it said of errors.
    """

    line: str
    code: int
    text: str
    complaint: str = ""

    @property
    def value(self) -> Any:
        """What it said in JSON; None if it said something else, as a command does that failed."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def words_of(command: str, *arguments: str) -> list[str]:
    """What a process is started with."""
    return [sys.executable, "-m", "lerobot_cli", command, *arguments]


def ask(command: str, *arguments: str) -> Answer:
    """Run a command that asks nothing, and give what it said; to be called in a thread.

    Args:
        command: registered name.
        *arguments: as after the name on a command line.
    """
    line = shlex.join(["lerobot", command, *arguments])
    try:
        done = subprocess.run(
            words_of(command, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            env={**os.environ, **PLAIN},
        )
    except subprocess.TimeoutExpired:
        return Answer(line, 1, "", f"There was no answer within {PATIENCE_S:g} s.")
    return Answer(line, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
