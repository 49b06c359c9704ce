"""What one turn of the control loop produced, and who receives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lerobot.core.types import Observation


@dataclass(frozen=True, slots=True)
class Tick:
    """One turn of the control loop; nothing in it changes afterwards.

    Attributes:
        index: number of the turn, counted from 0 without gaps.
        slot: number of the deadline on the grid; larger than `index` by the deadlines missed so far.
        deadline_s: when the turn was due, monotonic seconds.
        start_s: when it started.
        observation: processed observation; `observation.stamps` says when each entry was measured and if it is stale.
        requested: what the command source wanted, in the robot's units, before the gate.
        gated: what the gate let through.
        sent: what the robot says it sent.
        command_time_s: when the source gave the command.
        sent_time_s: when the robot had taken it.
        interventions: why the gate changed a value, by key; empty if it changed nothing.
        safety_enabled: False if the gate was off.
        stopped: nothing might move, because of a latched stop or a motor that was too hot or worked too hard: the robot
            was told to stay as it is.
    """

    index: int
    slot: int
    deadline_s: float
    start_s: float
    observation: Observation
    requested: Mapping[str, Any]
    gated: Mapping[str, Any]
    sent: Mapping[str, Any]
    command_time_s: float
    sent_time_s: float
    interventions: Mapping[str, str] = field(default_factory=dict)
    safety_enabled: bool = True
    stopped: bool = False


class Sink(Protocol):
    """A receiver of ticks: a recorder, a display."""

    def write(self, tick: Tick) -> None:
        """Take over one tick; an exception ends the run, safely."""
        ...
