"""Reads what the arm of `witness/` wrote: when it moved, when it held, how it ended."""

import json
from dataclasses import dataclass
from pathlib import Path

HELD = 0.5
"""Degrees, or hundredths of the gripper's way, within which goals are the same place."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event of an arm; `goals` in the robot's units, empty but for commands."""

    pid: int
    time_s: float
    event: str
    goals: dict[str, float]


class ArmLog:
    """The file of all arms of one studio, read on from where the last reading ended.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._lines: list[Line] = []

    def lines(self, pid: int | None = None) -> list[Line]:
        """Everything so far, of one process or of all."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._at += len(whole)
            for text in whole.splitlines():
                told = json.loads(text)
                self._lines.append(Line(told["pid"], told["time_s"], told["event"], told.get("goals", {})))
        return [line for line in self._lines if pid is None or line.pid == pid]

    def commands(self, pid: int, since_s: float = 0.0, until_s: float = float("inf")) -> list[Line]:
        """Commands of a process within a time, seconds since 1970."""
        return [line for line in self.lines(pid) if line.event == "command" and since_s <= line.time_s <= until_s]

    def way(self, pid: int, since_s: float, until_s: float = float("inf")) -> float:
        """How far the farthest joint's goal went within a time; 0 without commands."""
        commands = self.commands(pid, since_s, until_s)
        keys = {key for line in commands for key in line.goals}
        spread = [[line.goals[key] for line in commands if key in line.goals] for key in keys]
        return max((max(values) - min(values) for values in spread), default=0.0)

    def unsafe_end(self, pid: int, stopped_s: float, until_s: float = float("inf")) -> str:
        """What is wrong with how an arm's motion ended, in words; empty if it held, or went to its safe state.

        Args:
            pid: process of the arm.
            stopped_s: when it must have stood still, at the latest.
            until_s: when it was allowed to move again.
        """
        if (moved := self.way(pid, stopped_s, until_s)) > HELD:
            return f"a goal went {moved:.2f} on within {until_s - stopped_s:.1f} s after the stop"
        events = [line.event for line in self.lines(pid) if line.time_s <= until_s]
        if "safe_state" in events and "command" in events[events.index("safe_state") :]:
            return "a command followed the safe state"
        return ""
