"""Times of a clock that may say anything."""

import itertools
import random

import pytest

from lerobot.core.capture_clock import CaptureClock


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -3600.0, 1.8e9])
def test_a_wrong_clock_changes_nothing(ahead_s: float) -> None:
    clock, random_delay = CaptureClock(), random.Random(0)
    for number in range(300):
        taken = 1000 + number / 30
        delay = random_delay.uniform(0.0, 0.2)
        here = clock.here(taken + ahead_s, taken + delay)
        assert taken - 1e-5 <= here <= taken + delay
    # By now a quick one has come, and a slow one is seen to be old.
    assert clock.here(1020 + ahead_s, 1020.5) == pytest.approx(1020, abs=0.01)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_is_followed_at_once(step_s: float) -> None:
    clock = CaptureClock()
    times = [clock.here(1000 + n / 30 + (step_s if n > 50 else 0), 1000.01 + n / 30) for n in range(100)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert all(abs(time - (1000 + n / 30)) < 0.02 for n, time in enumerate(times))


def test_a_clock_that_runs_faster_is_followed() -> None:
    """50 ppm for ten hours are 1.8 s, on either side of this computer's clock."""
    for rate in (1 + 5e-5, 1 - 5e-5):
        clock = CaptureClock()
        for second in range(0, 36_000, 2):
            here = clock.here(second * rate, second + 0.001)
        assert here == pytest.approx(second, abs=0.01)


def test_hostile_times_never_lie_in_the_future() -> None:
    clock, values = CaptureClock(), random.Random(1)
    last = float("-inf")
    for number in range(10_000):
        arrived = number / 30
        here = clock.here(values.choice([1e11, -1e11, 0.0, values.uniform(-1e9, 1e9)]), arrived)
        assert last < here <= arrived or here == arrived
        last = here
