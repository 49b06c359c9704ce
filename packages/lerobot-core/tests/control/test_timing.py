"""Durations kept in fixed memory, and the report made of them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.control import Distribution, LoopTiming


@given(st.lists(st.floats(1e-6, 60), min_size=1, max_size=300), st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.99, 1.0]))
def test_quantiles_agree_with_numpy_to_half_a_percent(values, fraction):
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    expected = np.quantile(values, fraction, method="inverted_cdf")
    assert distribution.quantile(fraction) == pytest.approx(expected, rel=0.006)
    assert distribution.max_s == max(values)


def test_extremes_are_kept_in_the_outer_bins():
    distribution = Distribution()
    for value in (0.0, 1e-12, 1e9):
        distribution.add(value)
    assert distribution.quantile(0.5) == 0.0
    assert distribution.max_s == 1e9


def test_an_empty_distribution_is_zero():
    assert Distribution().quantile(0.99) == 0.0


def test_the_report_is_readable_and_plain_data():
    timing = LoopTiming(50)
    for tick in range(101):
        timing.started(tick / 50 + 0.001, tick / 50)
        timing.stages["observe"].add(0.002)
    timing.overruns = 3
    report = timing.report(
        "duration", stale={"front": 4}, interventions={"pan.pos": {"velocity": 2}}, slow_hooks={"x.control_tick": 1},
        safety_enabled=False,
    )  # fmt: skip
    text = str(report)
    for part in (
        "101 ticks at 50.000 Hz", "3 overruns", "ended by duration", "front 4", "pan.pos: velocity 2", "OFF",
        "x.control_tick 1", "worst gap 20.00 ms",
    ):  # fmt: skip
        assert part in text
    data = json.loads(json.dumps(report.as_dict()))
    assert data["start_jitter"]["max_ms"] == pytest.approx(1.0)
    assert data["stages"]["observe"]["p50_ms"] == pytest.approx(2.0, rel=0.006)
    assert data["interventions"] == {"pan.pos": {"velocity": 2}}
