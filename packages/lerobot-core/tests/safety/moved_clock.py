"""Time that tests move."""


class MovedClock:
    """Stands still but for waits, and for what a test adds to `time`."""

    def __init__(self, time=100.0):
        self.time = time

    def now(self):
        return self.time

    def sleep_until(self, deadline):
        self.time = max(self.time, deadline)
