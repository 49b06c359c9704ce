"""Commands of a recorded episode at the times they were given, and how well the robot followed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from lerobot.core.control import Tick
from lerobot.core.safety import as_number
from lerobot.core.types import Action, Observation
from lerobot.datasets.replay.episode import RecordedEpisode

# The robot has arrived at the first pose when its command has stood still for so long after the ramp.
SETTLE_S = 0.5
# Shares of a joint's unit below which a command stands still: less than a servo resolves.
STILL = 1e-3


@dataclass(slots=True)
class Deviation:
    """Difference between what is measured now and what was measured, for one joint, in its unit."""

    count: int = 0
    squares: float = 0.0
    largest: float = 0.0

    def add(self, difference: float) -> None:
        """Take in one difference."""
        self.count += 1
        self.squares += difference * difference
        self.largest = max(self.largest, abs(difference))

    @property
    def rms(self) -> float:
        """Root mean square."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0


@dataclass(slots=True)
class PlaybackResult:
    """How the replay went.

    Attributes:
        rows: rows that were sent.
        duration_s: seconds from the first to the last.
        error: deviation of the measured from the recorded joint positions, by key.
        compared_with: what they were compared with: `"state"` or `"action"`.
        changed: commands that the safety gate changed, by key.
    """

    rows: int = 0
    duration_s: float = 0.0
    error: dict[str, Deviation] = field(default_factory=dict)
    compared_with: str = "state"
    changed: dict[str, int] = field(default_factory=dict)


class Playback:
    """Source and sink in one: goes softly to the first pose, then sends each action at its time.

    Time is that of the recording, not that of its rows: where the recording missed a deadline the action before is
    held, and where the replay misses one the row is left out, so that the end comes when it should. While a latched
    stop holds the robot, the recording's clock stands still.

    Args:
        episode: what is replayed.
        ramp_s: seconds the safety gate takes to engage; the clock of the recording starts after it.
        missed: deadlines that the control loop missed so far.
        begin: called when the robot has arrived, before the first action.
    """

    def __init__(
        self, episode: RecordedEpisode, *, ramp_s: float, missed: Callable[[], int], begin: Callable[[], None]
    ) -> None:
        self.result = PlaybackResult()
        self._episode = episode
        self._ramp_s = ramp_s
        self._missed = missed
        self._begin = begin
        self._engaged_s: float | None = None
        self._moved_s = 0.0
        self._last: Action = {}
        self._stopped = 0
        """Ticks before the recording's clock started in which the robot was stopped, unseen by `next_action`."""
        self._softly = 0
        """Ticks in which the robot comes back to where it was stopped, before the clock goes on."""
        self._begin_slot: int | None = None
        self._begun_s: float | None = None
        self._row = 0

    def next_action(self, _observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self._begin_slot is None:
            return dict(self._episode.action(0))
        if self._softly:
            self._softly -= 1
            self._begin_slot += 1
            return dict(self._episode.action(self._row))
        elapsed_s = (tick + self._missed() - self._begin_slot) / self._episode.fps
        half_s = 0.5 / self._episode.fps
        if elapsed_s > self._episode.duration_s + half_s:
            return None
        times = self._episode.times_s
        self._row = max(0, int(times.searchsorted(elapsed_s + half_s)) - 1)
        return dict(self._episode.action(self._row))

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        if self._begin_slot is None:
            if tick.stopped:
                self._stopped += 1
                self._engaged_s = None  # the gate engages anew
            elif self._has_arrived(tick):
                self._begin()
                self._begin_slot = tick.slot + 1 - self._stopped
            return
        if tick.stopped:
            self._softly = math.ceil(self._ramp_s * self._episode.fps)
            return
        if self._begun_s is None:
            self._begun_s = tick.start_s
        self.result.rows += 1
        self.result.duration_s = tick.start_s - self._begun_s
        for key in tick.interventions:
            self.result.changed[key] = self.result.changed.get(key, 0) + 1
        self._compare(tick.observation)

    def _has_arrived(self, tick: Tick) -> bool:
        if self._engaged_s is None:
            # The gate's ramp begins with the first command.
            self._engaged_s = self._moved_s = tick.sent_time_s
        sent = dict(tick.sent)
        if any(abs(float(sent[key]) - float(self._last.get(key, math.inf))) > STILL for key in sent):
            self._moved_s = tick.start_s
        self._last = sent
        return tick.start_s - max(self._moved_s, self._engaged_s + self._ramp_s) >= SETTLE_S

    def _compare(self, observation: Observation) -> None:
        """Compare with the recorded state; a dataset without the robot's joints in it, with the action."""
        recorded = self._episode.state(self._row)
        if not recorded.keys() & observation.keys():
            self.result.compared_with = "action"
            recorded = self._episode.action(self._row)
        for key, value in recorded.items():
            measured = as_number(observation.get(key))
            if measured is not None:
                self.result.error.setdefault(key, Deviation()).add(measured - value)
