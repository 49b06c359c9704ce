"""Clocks that tests move themselves."""

import pytest


class FakeClock:
    """Time that passes only when it is told to, or slept through."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> float:
        return self.time_s

    def sleep_until(self, deadline: float) -> None:
        self.time_s = max(self.time_s, deadline)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
