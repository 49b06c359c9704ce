"""What went over a bus, and what did not come back."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class BusStatistics:
    """Counts since the bus was connected, for reports.

    Attributes:
        packets: instruction packets sent.
        replies: status packets that arrived whole.
        timeouts: replies that never came, by motor id.
        corrupt: replies that came damaged, by motor id; 0 where the damage hid whose reply it was.
        retries: packets sent again because of a miss.
        failures: calls given up after all retries.
        alerts: replies that carried an alert, by `(motor id, alert)`.
    """

    packets: int = 0
    replies: int = 0
    timeouts: Counter[int] = field(default_factory=Counter)
    corrupt: Counter[int] = field(default_factory=Counter)
    retries: int = 0
    failures: int = 0
    alerts: Counter[tuple[int, str]] = field(default_factory=Counter)

    @property
    def misses(self) -> int:
        """Replies that did not come or came damaged."""
        return self.timeouts.total() + self.corrupt.total()

    def __str__(self) -> str:
        """One line for a log or report."""
        return (
            f"{self.packets} packets, {self.replies} replies, {self.misses} misses "
            f"({self.timeouts.total()} silent, {self.corrupt.total()} corrupt), "
            f"{self.retries} retries, {self.failures} failures"
        )
