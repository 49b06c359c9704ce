"""One episode on a robot, with the reset before it: one run of the control loop."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.tick import Tick
from lerobot.datasets.record.progress import Progress
from lerobot.envs.trials.wishes import VERDICTS, Wish


@dataclass(slots=True)
class Attempt:
    """An episode that was played.

    Attributes:
        index: its number.
        steps: actions of the policy.
        verdict: how it went: success, failure or unknown; None as long as nobody has said.
    """

    index: int
    steps: int = 0
    verdict: Wish | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every episode of an evaluation.

    Attributes:
        fps: actions per second.
        ramp_s: seconds after which the robot follows exactly; no episode begins before.
        reset_s: seconds before an episode begins, the ramp included.
        episode_s: longest duration of an episode.
        detector: tells that the task is solved; None if a person does.
        wishes: what a person asked for and nobody has answered yet, the oldest first.
        button: what a button of the teleoperator says, or the robot itself; asked during the episode only.
        begin: called when an episode begins: from the next tick on the policy acts.
        judged: called with an episode when its verdict is given, and again when it is corrected.
        progress: where to say how it goes.
    """

    fps: float
    ramp_s: float
    reset_s: float
    episode_s: float
    detector: SuccessDetector | None
    wishes: Callable[[], deque[Wish]]
    button: Callable[[], Wish | None]
    begin: Callable[[], None]
    judged: Callable[[Attempt], None]
    progress: Progress


class Trial:
    """A sink that waits until the episode may begin, counts its steps, and says when it is over and how it went.

    The reset lasts until the episode before is judged, however long that takes: the robot is held by the control loop
    meanwhile.

    Args:
        index: number of the episode; None to wait for the verdict on the one before, and no more.
        before: the episode before; None if there is none.
        rules: see `Rules`.
    """

    def __init__(self, index: int | None, before: Attempt | None, rules: Rules) -> None:
        self.stop = threading.Event()
        """Set when the trial is over; the control loop ends then."""
        self.played: Attempt | None = None
        """The episode of this trial; None as long as it has not begun."""
        self.ended_by: Wish | None = None
        """`redo` or `stop` if a person asked for it: the episode is not counted then, whether it has begun or not."""
        self._index = index
        self._before = before
        self._rules = rules
        self._engaged_s: float | None = None
        self._skip = False
        self._last_slot: int | None = None
        self._slots = 0

    def write(self, tick: Tick) -> None:
        """Take over one tick; see `Sink.write`."""
        if self.played is None:
            self._reset(tick)
        else:
            self._act(tick, self.played)

    def _reset(self, tick: Tick) -> None:
        rules, before = self._rules, self._before
        if self._engaged_s is None or tick.stopped:  # the gate engages anew after a stop
            self._engaged_s = tick.sent_time_s
        wishes = rules.wishes()
        while wishes and not self.stop.is_set():
            self._answer(wishes.popleft())
        if self.stop.is_set():
            return
        if before is not None and before.verdict is None:
            self._show(f"Waiting for the verdict on episode {before.index}: success, failure or unknown")
        elif self._index is None:
            self.stop.set()
        else:
            left = (rules.ramp_s if self._skip else max(rules.ramp_s, rules.reset_s)) - tick.start_s + self._engaged_s
            if left > 0:
                self._show(f"Reset the scene: episode {self._index} begins in {left:.0f} s")
            else:
                self._begin(self._index)

    def _answer(self, wish: Wish) -> None:
        """Answer a wish of somebody who waits for the episode to begin."""
        before, say = self._before, self._rules.progress.say
        if wish is Wish.NEXT:
            self._skip = True
        elif wish is Wish.STOP:
            self._end(wish)
        elif before is None:
            say(f"{wish}: no episode has been played yet.")
        elif wish is Wish.REDO:
            self._end(wish)
        else:
            before.verdict = wish
            self._rules.judged(before)

    def _begin(self, index: int) -> None:
        self._rules.progress.announce(f"Episode {index}")
        if self._rules.detector is not None:
            self._rules.detector.reset()
        self._rules.begin()
        self.played = Attempt(index)

    def _act(self, tick: Tick, played: Attempt) -> None:
        rules, wishes = self._rules, self._rules.wishes()
        passed = 1 if self._last_slot is None else tick.slot - self._last_slot
        self._last_slot = tick.slot
        if not tick.stopped:  # else the episode's time stands still
            played.steps += 1
            self._slots += passed
        # What else is asked for stays where it is, for the reset that follows.
        wish = wishes.popleft() if wishes else rules.button()
        if wish is not None:
            self._end(wish)
        elif rules.detector is not None and rules.detector.is_success(tick.observation):
            self._end(Wish.SUCCESS)
        elif self._slots >= round(rules.episode_s * rules.fps, 6):
            self._end(Wish.NEXT if rules.detector is None else Wish.FAILURE)
        else:
            self._show(f"Episode {played.index}  {self._slots / rules.fps:.1f} / {rules.episode_s:g} s")

    def _end(self, wish: Wish) -> None:
        self.stop.set()
        if wish in {Wish.REDO, Wish.STOP}:
            self.ended_by = wish
        elif self.played is not None and wish in VERDICTS:
            self.played.verdict = wish
            self._rules.judged(self.played)
        elif self.played is not None:
            self._rules.progress.announce(f"Episode {self.played.index} is over. Success or failure?")

    def _show(self, text: str) -> None:
        if self._rules.progress.due():
            self._rules.progress.show(text)
