"""How well the loop kept time, measured in a fixed amount of memory."""

import math
from array import array
from dataclasses import asdict, dataclass, field
from typing import Any

STAGES = ("observe", "source", "gate", "send", "sinks")

_SMALLEST_S = 1e-7
_GROWTH = math.log(1.01)
# 2100 bins of one percent each reach from 0.1 us to two minutes: 17 kB per series, for runs of any length.
_BINS = 2100


class Distribution:
    """Durations, kept as a histogram of bins that grow by one percent: quantiles are exact to half a percent."""

    def __init__(self) -> None:
        self.count = 0
        self.max_s = 0.0
        self._bins = array("Q", bytes(8 * _BINS))

    def add(self, seconds: float) -> None:
        """Take in one duration; below 0.1 us counts as that."""
        self.count += 1
        self.max_s = max(self.max_s, seconds)
        position = 0 if seconds <= _SMALLEST_S else int(math.log(seconds / _SMALLEST_S) / _GROWTH) + 1
        self._bins[min(position, _BINS - 1)] += 1

    def quantile(self, fraction: float) -> float:
        """Smallest duration that at least this part of all does not exceed (nearest rank); 0 if there is none."""
        rank = max(1, math.ceil(fraction * self.count))
        seen = 0
        for position, number in enumerate(self._bins):
            seen += number
            if number and seen >= rank:
                middle = _SMALLEST_S * math.exp(_GROWTH * (position - 0.5)) if position else 0.0
                return min(middle, self.max_s)
        return 0.0

    def summary_ms(self) -> "Quantiles":
        """Return p50, p99 and maximum in milliseconds."""
        return Quantiles(self.quantile(0.5) * 1e3, self.quantile(0.99) * 1e3, self.max_s * 1e3)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Median, 99th percentile and maximum of a duration, in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.3f}  p99 {self.p99_ms:.3f}  max {self.max_ms:.3f} ms"


@dataclass(frozen=True, slots=True)
class LoopReport:
    """What a run of the control loop was like.

    Attributes:
        ended_by: `"duration"`, `"source"`, `"stop"`, `"signal"`, or `"error: ..."`.
        target_hz: rate that was asked for.
        achieved_hz: rate from the first to the last tick; 0 with fewer than two ticks.
        ticks: turns made.
        overruns: deadlines that passed unused because a turn took too long.
        start_jitter: how late ticks started.
        period_jitter: deviation of the time between two starts from the period.
        worst_gap_ms: longest time between two starts.
        stages: duration of each stage.
        stale: number of stale entries, by observation key.
        interventions: changes made by the safety gate, by key and reason.
        slow_hooks: calls over their share of the period, earlier runs included, by `plugin.hook`.
        safety_enabled: False if the safety gate was off.
    """

    ended_by: str
    target_hz: float
    achieved_hz: float
    ticks: int
    overruns: int
    start_jitter: Quantiles
    period_jitter: Quantiles
    worst_gap_ms: float
    stages: dict[str, Quantiles]
    stale: dict[str, int] = field(default_factory=dict)
    interventions: dict[str, dict[str, int]] = field(default_factory=dict)
    slow_hooks: dict[str, int] = field(default_factory=dict)
    safety_enabled: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain numbers and strings, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.ticks} ticks at {self.achieved_hz:.3f} Hz (target {self.target_hz:g}), {self.overruns} overruns, "
            f"worst gap {self.worst_gap_ms:.2f} ms, ended by {self.ended_by}",
            f"start jitter   {self.start_jitter}",
            f"period jitter  {self.period_jitter}",
            "stages, p50/p99 ms: "
            + "  ".join(f"{name} {part.p50_ms:.3f}/{part.p99_ms:.3f}" for name, part in self.stages.items()),
        ]
        if self.stale:
            lines.append("repeated or old: " + "  ".join(f"{key} {number}" for key, number in self.stale.items()))
        if not self.safety_enabled:
            lines.append("safety gate: OFF (--safety.enabled=false)")
        for key, reasons in self.interventions.items():
            lines.append(f"safety gate, {key}: " + ", ".join(f"{reason} {count}" for reason, count in reasons.items()))
        if self.slow_hooks:
            lines.append("slow hooks: " + "  ".join(f"{name} {count}" for name, count in self.slow_hooks.items()))
        return "\n".join(lines)


class LoopTiming:
    """Collects the times of one run.

    Args:
        fps: target rate in Hz.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.ticks = 0
        self.overruns = 0
        self.stages = {stage: Distribution() for stage in STAGES}
        self._start_jitter = Distribution()
        self._period_jitter = Distribution()
        self._first_s = self._last_s = 0.0
        self._worst_gap_s = 0.0

    def started(self, start_s: float, deadline_s: float) -> None:
        """Note that a tick due at `deadline_s` started at `start_s`."""
        if self.ticks:
            gap = start_s - self._last_s
            self._period_jitter.add(abs(gap - 1.0 / self.fps))
            self._worst_gap_s = max(self._worst_gap_s, gap)
        else:
            self._first_s = start_s
        self._start_jitter.add(abs(start_s - deadline_s))
        self._last_s = start_s
        self.ticks += 1

    def report(self, ended_by: str, **counts: Any) -> LoopReport:
        """Sum up; `counts` are the fields of `LoopReport` that others counted."""
        elapsed = self._last_s - self._first_s
        return LoopReport(
            ended_by=ended_by,
            target_hz=self.fps,
            achieved_hz=(self.ticks - 1) / elapsed if elapsed > 0 else 0.0,
            ticks=self.ticks,
            overruns=self.overruns,
            start_jitter=self._start_jitter.summary_ms(),
            period_jitter=self._period_jitter.summary_ms(),
            worst_gap_ms=self._worst_gap_s * 1e3,
            stages={stage: part.summary_ms() for stage, part in self.stages.items()},
            **counts,
        )
