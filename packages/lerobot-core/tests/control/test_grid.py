"""The grid of deadlines: no drift, no lost phase, every deadline accounted for."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot.core.clock import MonotonicClock
from lerobot.core.control import CallableSource, ControlLoop
from lerobot.core.safety import SafetyConfig, SafetyGate


class Starts:
    """A sink that keeps when ticks started, and takes its time."""

    def __init__(self, clock, work_s):
        self.clock = clock
        self.work_s = iter(work_s)
        self.ticks = []

    def write(self, tick):
        self.ticks.append(tick)
        self.clock.work(next(self.work_s, 0.0))


def run(clock, arm, fps, work_s, duration_s):
    sink = Starts(clock, work_s)
    gate = SafetyGate.for_robot(arm, SafetyConfig())
    loop = ControlLoop(arm, CallableSource(dict), gate, fps=fps, sinks=[sink], clock=clock)
    return loop.run(duration_s=duration_s), sink.ticks


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(fps=st.integers(10, 200), work=st.lists(st.floats(0, 4), max_size=40))
def test_every_deadline_is_kept_or_counted_and_the_phase_stays(virtual_clock, virtual_arm, fps, work):
    """`work` is the length of each tick in periods."""
    clock = virtual_clock()
    work_s = [part / fps for part in work]
    report, ticks = run(clock, virtual_arm(clock), fps, work_s, duration_s=60 / fps)
    for tick in ticks:
        assert tick.deadline_s == 100.0 + tick.slot / fps
        assert -1e-9 <= tick.start_s - tick.deadline_s <= 0.5 / fps + 1e-9
    slots = [tick.slot for tick in ticks]
    assert slots == sorted(set(slots))
    assert slots[-1] < 60
    missed = slots[-1] + 1 - len(slots)
    # What the last ticks missed lies beyond the end of the run.
    assert missed <= report.overruns <= missed + math.ceil(max(work, default=0))
    assert report.ticks == len(ticks)


@pytest.mark.parametrize("duration_s", [300, pytest.param(3600, marks=pytest.mark.slow)])
def test_long_runs_do_not_drift(clock, arm, duration_s):
    fps = 30
    gate = SafetyGate.for_robot(arm, SafetyConfig())
    last = []

    class Last:
        def write(self, tick):
            last[:] = [tick]
            clock.work(0.001)

    arm.log = type("Forgetful", (), {"append": lambda self, action: None})()
    loop = ControlLoop(arm, CallableSource(lambda _: {"joint.pos": 0.0}), gate, fps=fps, sinks=[Last()], clock=clock)
    report = loop.run(duration_s=duration_s)
    assert report.ticks == fps * duration_s
    assert last[0].start_s == pytest.approx(100.0 + duration_s - 1 / fps, abs=1e-6)
    assert report.achieved_hz == pytest.approx(30, rel=1e-9)


def test_a_little_lateness_costs_no_tick(clock, arm):
    report, ticks = run(clock, arm, 50, [0.0] * 5 + [0.025], duration_s=1.0)
    assert report.ticks == 50
    assert report.overruns == 0
    assert ticks[6].start_s - ticks[6].deadline_s == pytest.approx(0.005)
    assert ticks[7].start_s == pytest.approx(ticks[7].deadline_s)


def test_a_long_stall_skips_and_counts_deadlines(clock, arm):
    report, ticks = run(clock, arm, 50, [0.0] * 5 + [0.2], duration_s=1.0)
    assert report.overruns == 9
    assert report.ticks == 41
    assert ticks[6].slot == 15
    assert report.worst_gap_ms == pytest.approx(200)


def test_the_report_agrees_with_numpy_and_statistics(clock, arm):
    rng = np.random.default_rng(3)
    work = rng.gamma(2.0, 0.004, size=2000).tolist()
    report, ticks = run(clock, arm, 100, work, duration_s=20)
    starts = np.array([tick.start_s for tick in ticks])
    late_ms = (starts - np.array([tick.deadline_s for tick in ticks])) * 1e3
    gaps_ms = np.diff(starts) * 1e3
    assert report.achieved_hz == pytest.approx(1 / statistics.fmean(gaps_ms / 1e3), rel=1e-9)
    assert report.worst_gap_ms == pytest.approx(gaps_ms.max(), rel=1e-9)
    for measured, values in ((report.start_jitter, late_ms), (report.period_jitter, abs(gaps_ms - 10))):
        assert measured.p50_ms == pytest.approx(np.quantile(values, 0.5, method="inverted_cdf"), rel=0.006, abs=2e-4)
        assert measured.p99_ms == pytest.approx(np.quantile(values, 0.99, method="inverted_cdf"), rel=0.006)
        assert measured.max_ms == pytest.approx(values.max(), rel=1e-9)


def test_the_systems_clock_never_returns_early():
    clock = MonotonicClock()
    for wait in (0.0, 0.0001, 0.003):
        deadline = clock.now() + wait
        clock.sleep_until(deadline)
        assert clock.now() >= deadline
    clock.sleep_until(clock.now() - 5)
