"""A policy that a person starts, stops and tells what to do with typed words: `--interactive=true`.

The words, and what is said to them, are those of huggingface/lerobot.
"""

import threading
from collections.abc import Callable
from enum import StrEnum

from lerobot.core.types import Action, Observation
from lerobot.rollout.actor import Actor
from lerobot.rollout.interpolation import Forgetful
from lerobot.rollout.typed import TypedLines

RULE = "─" * 60
COMMANDS = """  /start             let the policy drive
  /subtask [TEXT]    tell it what to do from its next prediction on; without a text: say what it does
  /reset             bring the robot back to where it was at the start, and hold
  /stop              end the run
  /help              show this"""
NO_TEXT = "This policy has no text head — it cannot answer questions."


class Phase(StrEnum):
    """What the robot does."""

    HOLDS = "holds"
    RUNS = "runs"
    RETURNS = "returns"


class Conversation:
    """Commands the robot as a person says; see `CommandSource`.

    Args:
        lines: what is typed.
        stop: set when the run shall end.
        acting: the policy at the rate of the loop.
        actor: the policy; has the task.
        ticks: after so many the policy stops of itself; None for never.
        way_home: gives the commands from an observation to the first one of all.
        say: where to answer.
    """

    def __init__(
        self,
        lines: TypedLines,
        stop: threading.Event,
        acting: Forgetful,
        actor: Actor,
        *,
        ticks: int | None,
        way_home: Callable[[Observation, Observation], list[Action]],
        say: Callable[[str], None],
    ) -> None:
        self.phase = Phase.HOLDS
        """What the robot does now."""
        self._lines = lines
        self._stop = stop
        self._acting = acting
        self._actor = actor
        self._most = ticks
        self._way_home = way_home
        self._say = say
        self._start: Observation | None = None
        self._way: list[Action] = []
        self._ticks = 0

    def next_action(self, observation: Observation, _tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self._start is None:
            self._start = observation
            self._say(
                f"{RULE}\nInteractive rollout session — the robot will NOT move until you type /start.\n"
                f"Task: {self._actor.task!r}\n{COMMANDS}\n{RULE}"
            )
        for line in self._lines.poll():
            self._hear("/stop" if line is None else line, observation)
        if self.phase is Phase.RUNS and self._ticks == self._most:
            self.phase = Phase.HOLDS
            self._say(
                "Rollout run ended on its own (duration reached). Robot is holding position — /start to run again, "
                "/reset to return to initial position, /stop to shut down."
            )
        if self.phase is Phase.RUNS:
            self._ticks += 1
            return self._acting.next_action(observation, self._ticks - 1)
        if self.phase is Phase.RETURNS:
            if self._way:
                return self._way.pop(0)
            self.phase = Phase.HOLDS
            self._say("Robot reset — holding at initial position. /start to run.")
        return {}

    def _hear(self, line: str, observation: Observation) -> None:
        word, _, rest = line.partition(" ")
        text = _unquoted(rest.strip())
        match word.lower():
            case "":
                return
            case "/start":
                self._run()
            case "/reset":
                self._reset(observation)
            case "/stop":
                self._stop.set()
            case "/subtask":
                self._tell(text)
            case "/help":
                self._say(COMMANDS)
            case "/vqa" | "/autosteer":
                self._say(NO_TEXT)
            case other if other.startswith("/"):
                self._say(f"Unknown command '{word}'. Type /help for the list.")
            case _:
                self._say("Input not recognized — commands start with '/'. Type /help for the list.")

    def _run(self) -> None:
        if self.phase is Phase.RUNS:
            self._say("Already running — /reset to pause first, or /stop to shut down.")
            return
        self._acting.reset()
        self._ticks = 0
        self.phase = Phase.RUNS
        self._say(
            f"Rollout running — task {self._actor.task!r}. /subtask <text> to change it, /reset to return to initial "
            "position, /stop to shut down."
        )

    def _reset(self, observation: Observation) -> None:
        self._way = self._way_home(observation, self._start or observation)
        self.phase = Phase.RETURNS
        self._say("Resetting — returning the robot to its initial position...")

    def _tell(self, text: str) -> None:
        before = self._actor.task
        if not text:
            self._say(f"Task: {before!r}")
            return
        self._actor.task = text
        self._say(f"Task: {before!r} → {text!r} (applies from the next policy inference)")


def _unquoted(text: str) -> str:
    """Without one layer of the quotation marks around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
