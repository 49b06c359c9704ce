"""One take: the reset or lead-in before an episode, then the episode, in one run of the control loop."""

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from lerobot.core.clock import Clock
from lerobot.core.control import LoopTiming, Tick
from lerobot.core.control.timing import LoopReport
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.repeats import RepeatedImages
from lerobot.datasets.record.requests import Request, Requests
from lerobot.datasets.record.rows import UNKNOWN, RowBuilder
from lerobot.datasets.writer.recorder import DatasetRecorder

# The first row waits so long for images taken since the episode began; a slower camera begins with an old one.
FIRST_IMAGE_S = 0.5


@dataclass(frozen=True, slots=True)
class TakePlan:
    """What a take shall be like.

    Attributes:
        index: number of the episode.
        task: instruction in words.
        ramp_s: seconds after which the robot follows the teleoperator exactly; nothing before is recorded.
        reset_s: seconds before the episode begins, the ramp included; 0 begins right after the ramp.
        episode_s: longest duration of the episode.
    """

    index: int
    task: str
    ramp_s: float
    reset_s: float
    episode_s: float


@dataclass(slots=True)
class TakeResult:
    """What came of a take.

    Attributes:
        frames: rows recorded.
        outcome: `"success"`, `"failure"` or `"unknown"`.
        ended_by: what ended the episode: `"duration"` or a request; None if it did not end by itself.
        during_reset: whether the take ended before its episode began.
        timing: report of the episode alone, stages left out.
        repeated_s: seconds for which a camera gave one image as if it were new, by camera; see `RepeatedImages`.
    """

    frames: int = 0
    outcome: str = UNKNOWN
    ended_by: str | None = None
    during_reset: bool = True
    timing: LoopReport | None = None
    repeated_s: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Counts:
    """What is counted during an episode."""

    timing: LoopTiming
    repeats: RepeatedImages
    stale: Counter[str] = field(default_factory=Counter)
    interventions: dict[str, Counter[str]] = field(default_factory=dict)


class Take:
    """A sink that waits for the episode's time, records it and says when it is over.

    Every run of the control loop begins with a soft ramp, during which the robot is not where the teleoperator is.
    Reset and episode are therefore one run: the robot follows exactly before the first row is recorded, and the command
    goes on without a break when it is.

    Args:
        plan: see `TakePlan`.
        recorder: takes the rows.
        rows: makes them.
        requests: what the person wants.
        buttons: what the teleoperator's buttons say; asked during the episode only.
        progress: where to say how it goes.
        fps: ticks per second.
        is_free: whether the recorder can take rows: the episode before is saved. The reset lasts until then.
        begin: called when the episode begins, before the first row.
        saved: episodes saved so far and wanted, for the progress line.
        clock: the control loop's.
    """

    def __init__(
        self,
        plan: TakePlan,
        recorder: DatasetRecorder,
        rows: RowBuilder,
        *,
        requests: Requests,
        buttons: Callable[[], Request | None],
        progress: Progress,
        fps: float,
        is_free: Callable[[], bool],
        begin: Callable[[], None],
        saved: tuple[int, int],
        clock: Clock,
    ) -> None:
        self.plan = plan
        self.result = TakeResult()
        self.stop = threading.Event()
        """Set when the take is over; the control loop ends then."""
        self._recorder = recorder
        self._rows = rows
        self._requests = requests
        self._buttons = buttons
        self._progress = progress
        self._is_free = is_free
        self._begin = begin
        self._saved = saved
        self._clock = clock
        self._fps = fps
        self._counts = _Counts(LoopTiming(fps), RepeatedImages(rows.cameras))
        self._engaged_s: float | None = None
        self._skip = self._redo = False
        self._asked: Request | None = None
        self._begun_s = 0.0
        self._first: Tick | None = None
        self._last_slot = 0
        self._slots = 0
        self._released_s: float | None = None

    def write(self, tick: Tick) -> None:
        """Take over one tick; see `Sink.write`."""
        if self.result.during_reset:
            self._reset(tick, self._requests.poll())
        else:
            # Kept until there is a row that it ends; what is asked for after it stays where it is for the next take.
            self._asked = self._asked or self._requests.poll() or self._buttons()
            self._record(tick, self._asked)

    def _reset(self, tick: Tick, request: Request | None) -> None:
        """Wait until the robot follows and the time is over, or somebody has had enough of waiting."""
        if self._engaged_s is None or tick.stopped:
            # The gate's ramp begins with the first command, however long the teleoperator took to give it, and anew
            # after a stop.
            self._engaged_s = tick.sent_time_s
        if request is Request.STOP:
            self._end(request)
            return
        is_free = self._is_free()
        self._redo = self._redo or request is Request.REDO
        self._skip = self._skip or request is not None
        elapsed = tick.start_s - self._engaged_s
        if self._redo:
            # What is on its way into the dataset cannot be taken back before it is there.
            if is_free:
                self._end(Request.REDO)
        elif is_free and elapsed >= self.plan.ramp_s and (self._skip or elapsed >= self.plan.reset_s):
            self.result.during_reset = False
            self._progress.announce(f"Recording episode {self.plan.index}")
            before_s = self._clock.now()
            self._begin()
            # What `begin` does to the scene, as in a simulation, is done now, not when the tick was.
            self._begun_s = tick.sent_time_s + self._clock.now() - before_s
        elif self._progress.due():
            left = max(self.plan.ramp_s, 0.0 if self._skip else self.plan.reset_s) - elapsed
            what = "Reset the environment" if self.plan.reset_s and not self._skip else "Getting ready"
            when = f"in {left:.0f} s" if is_free or left > 0 else "once the one before is saved"
            self._progress.show(f"{what}: episode {self.plan.index} begins {when}")

    def _record(self, tick: Tick, request: Request | None) -> None:
        if self._first is None and not self._is_new(tick):
            return
        passed = 1 if self._first is None else tick.slot - self._last_slot
        self._last_slot = tick.slot
        if self._is_held(tick):
            if request is not None:
                self._end(request)
            elif self._progress.due():
                self._progress.show(f"Episode {self.plan.index} stands still, because of a stop")
            return
        first = self._first = self._first or tick
        row = self._rows.row(tick, first.start_s)
        self._recorder.add_frame(row, self.plan.task)
        self._slots += passed
        self._counts.repeats.add(row, tick.observation.stamps)
        self._count(tick)
        if request is not None:
            self._end(request)
        elif self._slots >= round(self.plan.episode_s * self._fps, 6):
            self._end("duration")
        elif self._progress.due():
            self._progress.show(self._status(self._slots / self._fps))

    def _is_held(self, tick: Tick) -> bool:
        """Whether a stop holds the robot, or it begins softly after one: no demonstration, and no time of it."""
        if tick.stopped:
            self._released_s = math.inf
        elif self._released_s == math.inf:
            self._released_s = tick.start_s
        return self._released_s is not None and tick.start_s - self._released_s < self.plan.ramp_s

    def _is_new(self, tick: Tick) -> bool:
        """Whether every image was taken since the episode began: not of the scene as it was before."""
        if tick.start_s - self._begun_s > FIRST_IMAGE_S:
            return True
        stamps = tick.observation.stamps
        return all(stamps[key].time_s >= self._begun_s for key in self._rows.cameras if key in stamps)

    def _count(self, tick: Tick) -> None:
        counts = self._counts
        counts.timing.started(tick.start_s, tick.deadline_s)
        counts.stale.update(key for key, stamp in tick.observation.stamps.items() if stamp.stale)
        for key, reason in tick.interventions.items():
            counts.interventions.setdefault(key, Counter())[reason] += 1
        self.result.frames += 1
        counts.timing.overruns = self._slots - self.result.frames

    def _end(self, ended_by: str) -> None:
        result, counts = self.result, self._counts
        result.ended_by = str(ended_by)
        if ended_by in (Request.SUCCESS, Request.FAILURE):
            result.outcome = str(ended_by)
        result.repeated_s = counts.repeats.noticed
        result.timing = counts.timing.report(
            result.ended_by,
            stale=dict(counts.stale),
            interventions={key: dict(reasons) for key, reasons in counts.interventions.items()},
        )
        self.stop.set()

    def _status(self, elapsed_s: float) -> str:
        report = self._counts.timing.report("")
        waited = f"  encoder behind {self._recorder.waited_s:.1f} s" if self._recorder.waited_s else ""
        missed = f"  missed {report.overruns}" if report.overruns else ""
        return (
            f"Episode {self.plan.index} ({self._saved[0]} of {self._saved[1]} saved)  {elapsed_s:.1f} / "
            f"{self.plan.episode_s:g} s  {report.achieved_hz:.2f} Hz{missed}{waited}"
        )
