"""How well acting went: who waited for whom, and how old the knowledge was that was acted on."""

from dataclasses import dataclass, field

from lerobot.core.control import Distribution
from lerobot.core.types import Action


@dataclass(slots=True)
class ActingReport:
    """What is counted while a policy acts ahead of time.

    Attributes:
        actions: executed.
        starved: ticks without a planned action, in which the robot held still.
        late: chunks that were dropped because more actions were executed than they were made for.
        inference: how long each prediction took.
        age: how old the observation was that an action follows from, when it was executed.
        delays: actions executed while a chunk was predicted, by number of chunks.
        step_within: largest change of any joint from one action to the next, in its unit, within chunks.
        step_between: the same where a new chunk takes over.
    """

    actions: int = 0
    starved: int = 0
    late: int = 0
    inference: Distribution = field(default_factory=Distribution)
    age: Distribution = field(default_factory=Distribution)
    delays: dict[int, int] = field(default_factory=dict)
    step_within: float = 0.0
    step_between: float = 0.0
    inference_s: float = 0.0
    first_s: float | None = None
    last_s: float = 0.0
    last: Action | None = None

    def ticked(self, now_s: float) -> None:
        """Take note of a tick."""
        self.first_s = now_s if self.first_s is None else self.first_s
        self.last_s = now_s

    def predicted(self, seconds: float, delay: int) -> None:
        """Take note of a chunk."""
        self.inference.add(seconds)
        self.inference_s += seconds
        self.delays[delay] = self.delays.get(delay, 0) + 1

    def executed(self, action: Action, age_s: float, *, taken_over: bool) -> None:
        """Take note of an action; `taken_over` says that it is the first one of a new chunk."""
        self.actions += 1
        self.age.add(age_s)
        if self.last is not None:
            step = max((abs(value - self.last[key]) for key, value in action.items() if key in self.last), default=0.0)
            if taken_over:
                self.step_between = max(self.step_between, step)
            else:
                self.step_within = max(self.step_within, step)
        self.last = action

    @property
    def inference_share(self) -> float:
        """Part of the time in which a chunk was being predicted."""
        elapsed = self.last_s - (self.first_s or 0.0)
        return min(1.0, self.inference_s / elapsed) if elapsed > 0 else 0.0

    def __str__(self) -> str:
        """Three lines; empty if nothing was predicted."""
        if not self.inference.count:
            return ""
        delays = ", ".join(f"{delay} ({count})" for delay, count in sorted(self.delays.items()))
        late = f", {self.late} chunks too late" if self.late else ""
        return (
            f"policy: {self.actions} actions, {self.starved} ticks starved, {self.inference.count} chunks{late}, "
            f"inference {self.inference_share:.0%} of the time, {self.inference.summary_ms()}\n"
            f"age of what was acted on: {self.age.summary_ms()}; actions executed meanwhile: {delays}\n"
            f"largest change from action to action: {self.step_within:.3g} within chunks, {self.step_between:.3g} from "
            "one to the next\n"
        )


@dataclass(slots=True)
class SyncReport:
    """What is counted while the control loop waits for the policy.

    Attributes:
        inference: how long it waited, each tick.
    """

    inference: Distribution = field(default_factory=Distribution)
    inference_s: float = 0.0
    first_s: float = 0.0
    last_s: float = 0.0

    def predicted(self, begun_s: float, done_s: float) -> None:
        """Take note of an action; both times on one clock."""
        if not self.inference.count:
            self.first_s = begun_s
        self.last_s = done_s
        self.inference.add(done_s - begun_s)
        self.inference_s += done_s - begun_s

    def __str__(self) -> str:
        """One line; empty if nothing was predicted."""
        if self.inference.count < 2:
            return ""
        share = min(1.0, self.inference_s / (self.last_s - self.first_s))
        waited = self.inference.summary_ms()
        return f"policy: {self.inference.count} actions, inference {share:.0%} of the time, {waited}\n"
