"""Statistics against numpy on the raw arrays, and against the format's published example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lerobot.datasets.statistics.running import BINS, QUANTILES, RunningStatistics

matrices = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 60), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_nan=False, width=32),
)


def split(values, cuts):
    return [part for part in np.split(values, sorted(cut % (len(values) + 1) for cut in cuts)) if len(part)]


def test_the_format_s_example():
    """Golden values of the format: 5000-bin histogram of [[0,10],[1,20],[2,30],[3,40],[10,50]]."""
    values = np.array([[0, 10], [1, 20], [2, 30], [3, 40], [10, 50]], np.float64)
    summary = RunningStatistics.of(values).summary()
    expected = {
        "mean": [3.2, 30],
        "std": [3.5440087, 14.142136],
        "min": [0, 10],
        "max": [10, 50],
        "q01": [-1e-10, 10],
        "q50": [2.001, 30.0040],
        "q90": [9.999, 49.996],
        "q99": [9.9999, 49.9996],
        "count": [5],
    }
    for key, value in expected.items():
        np.testing.assert_allclose(summary[key], value, rtol=1e-6, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(("mean", "sigma"), [(1000, 0.1), (1000, 0.01), (100, 0.01), (1e6, 0.01)])
def test_a_large_mean_does_not_swallow_the_deviation(mean, sigma):
    """One pass in float32 gives 0.433 for (1000, 0.1) and 0.0 for the others."""
    values = np.random.default_rng(0).normal(mean, sigma, (5000, 1))
    statistics = RunningStatistics.of(values[:100])
    for part in np.array_split(values[100:], 37):
        statistics.update(part)
    assert statistics.summary()["std"][0] == pytest.approx(values.std(), rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(values=matrices, cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_pieces_in_any_split_equal_numpy_on_the_whole(values, cuts):
    pieces = split(values, cuts)
    statistics = RunningStatistics.of(pieces[0])
    for piece in pieces[1:]:
        statistics.update(piece)
    summary = statistics.summary()
    scale = np.abs(values).max(axis=0) + 1e-12
    np.testing.assert_allclose(summary["mean"], values.mean(axis=0), atol=1e-9 * scale.max())
    np.testing.assert_allclose(summary["std"], values.std(axis=0), atol=1e-7 * scale.max())
    np.testing.assert_array_equal(summary["min"], values.min(axis=0))
    np.testing.assert_array_equal(summary["max"], values.max(axis=0))
    assert summary["count"].tolist() == [len(values)]


@settings(max_examples=60, deadline=None)
@given(values=matrices, cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_quantiles_stay_within_four_bins_however_the_range_grew(values, cuts):
    """A quantile lies between the order statistics around it, give or take four of 5000 bins."""
    pieces = split(values, cuts)
    statistics = RunningStatistics.of(pieces[0])
    for piece in pieces[1:]:
        statistics.update(piece)
    summary, ordered = statistics.summary(), np.sort(values, axis=0)
    slack = 4.001 * np.ptp(values, axis=0) / BINS + 1e-7
    for key, share in QUANTILES.items():
        rank = share * len(values)
        low = ordered[max(int(np.ceil(rank)) - 1, 0)]
        high = ordered[min(int(np.floor(rank)), len(values) - 1)]
        assert (summary[key] >= low - slack).all(), key
        assert (summary[key] <= high + slack).all(), key


@settings(max_examples=40, deadline=None)
@given(values=matrices, cuts=st.lists(st.integers(0, 1000), min_size=1, max_size=5))
def test_merged_summaries_keep_moments_and_extremes_exact(values, cuts):
    pieces = split(values, cuts)
    merged = RunningStatistics(values[0], values[0])
    for piece in pieces:
        merged.merge(RunningStatistics.of(piece).summary())
    summary = merged.summary()
    scale = np.abs(values).max() + 1e-12
    np.testing.assert_allclose(summary["mean"], values.mean(axis=0), atol=1e-9 * scale)
    np.testing.assert_allclose(summary["std"], values.std(axis=0), atol=1e-7 * scale)
    np.testing.assert_array_equal(summary["max"], values.max(axis=0))
    for key in QUANTILES:
        assert (summary[key] >= summary["min"]).all()
        assert (summary[key] <= summary["max"]).all()


def test_merged_quantiles_do_not_drift_with_the_number_of_episodes():
    """Element-wise minima and maxima of quantiles spread outward; a mixture of the episodes does not."""
    rng = np.random.default_rng(1)
    episodes = [RunningStatistics.of(rng.normal(size=(200, 1))).summary() for _ in range(300)]
    merged, found = RunningStatistics([-1.0], [1.0]), []
    for episode in episodes:
        merged.merge(episode)
        found.append(merged.summary())
    normal = {"q01": -2.326, "q10": -1.2816, "q50": 0.0, "q90": 1.2816, "q99": 2.326}
    for key, quantile in normal.items():
        assert found[-1][key][0] == pytest.approx(quantile, abs=0.2), key
        assert found[-1][key][0] == pytest.approx(found[29][key][0], abs=0.1), key


def test_a_part_without_quantiles_leaves_none_in_the_sum():
    with_quantiles = RunningStatistics.of(np.arange(6.0).reshape(3, 2)).summary()
    without = {key: value for key, value in with_quantiles.items() if key not in QUANTILES}
    merged = RunningStatistics([0.0, 0.0], [1.0, 1.0])
    merged.merge(with_quantiles)
    merged.merge(without)
    summary = merged.summary()
    assert not QUANTILES.keys() & summary.keys()
    np.testing.assert_allclose(summary["mean"], with_quantiles["mean"])
    assert summary["count"].tolist() == [6]


def test_aggregation_of_the_format_s_example():
    """Golden values of the format for two parts of 10 and 30 values."""
    parts = [
        {"mean": [0.5], "std": [0.1], "count": [10], "min": [0.0], "max": [1.0]},
        {"mean": [0.2], "std": [0.3], "count": [30], "min": [-1.0], "max": [0.5]},
    ]
    merged = RunningStatistics([0.0], [1.0])
    for part in parts:
        merged.merge({key: np.array(value) for key, value in part.items()})
    summary = merged.summary()
    assert summary["mean"][0] == pytest.approx(0.275)
    assert summary["std"][0] == pytest.approx(0.2947456530637899)
    assert (summary["min"][0], summary["max"][0]) == (-1.0, 1.0)


def test_one_value_is_its_own_quantile():
    summary = RunningStatistics.of(np.array([[7.25, -1e9]])).summary()
    for key in QUANTILES:
        np.testing.assert_array_equal(summary[key], [7.25, -1e9])
    np.testing.assert_array_equal(summary["std"], [0.0, 0.0])


def test_a_very_wide_vector_does_not_fill_the_memory():
    values = np.random.default_rng(0).uniform(size=(3, 40_000))
    statistics = RunningStatistics.of(values)
    assert sum(array.nbytes for array in vars(statistics).values() if isinstance(array, np.ndarray)) < 100e6
    np.testing.assert_allclose(statistics.summary()["mean"], values.mean(axis=0))
