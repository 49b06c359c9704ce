"""Success rates and their intervals, and the report's keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.envs.report import Episode, TaskResult, report, summary_line, wilson_interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Two-sided confidence intervals for the single proportion, Stat. Med. 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_the_published_ones(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_mirrors(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson_interval(successes, n)
    assert 0.0 <= low <= successes / n <= high <= 1.0
    assert wilson_interval(n - successes, n) == pytest.approx((1 - high, 1 - low))


def test_the_report_has_the_peers_keys_and_ours() -> None:
    episodes = [Episode(0, 7, True, 2.0, 1.0, 3), Episode(1, 8, False, 4.0, 3.0, 5)]
    found = report([TaskResult("sim", 0, episodes)], seconds=4.0)
    assert set(found) == {"per_task", "per_group", "overall", "caveats"}
    overall = found["overall"]
    assert {
        "avg_sum_reward",
        "avg_max_reward",
        "pc_success",
        "n_episodes",
        "eval_s",
        "eval_ep_s",
        "video_paths",
    } <= set(overall)
    assert (overall["avg_sum_reward"], overall["avg_max_reward"], overall["pc_success"]) == (3.0, 2.0, 50.0)
    assert (overall["n"], overall["eval_ep_s"]) == (2, 2.0)
    assert found["per_task"][0]["task_group"] == "sim"
    assert found["per_task"][0]["metrics"]["successes"] == [True, False]
    assert "1 of 2 episodes" in summary_line(found)
