"""Whether what the loop sees is new."""

from dataclasses import dataclass, replace
from typing import Any

from lerobot.core.errors import DeviceTimeoutError
from lerobot.core.types import Observation, Stamp


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an observation may be.

    Attributes:
        stale_after_s: an entry measured longer ago is marked stale.
        dead_after_s: an entry that has not changed for this long ends the run.
    """

    stale_after_s: float = 0.1
    dead_after_s: float = 2.0


class FreshnessMonitor:
    """Marks and counts stale entries of the observations of one run.

    An entry is stale if its source said so, if it is older than allowed, or if its sequence number is the one of the
    tick before: a loop that is faster than a camera sees each picture more than once, and says so.
    """

    def __init__(self, limits: Freshness) -> None:
        self.limits = limits
        self.stale: dict[str, int] = {}
        """Number of stale entries so far, by key."""
        self._newest: dict[str, Stamp] = {}

    def check(self, values: dict[str, Any], now_s: float) -> Observation:
        """Return the observation with its stale entries marked.

        Args:
            values: what the robot returned; without stamps it was measured now.
            now_s: monotonic time.

        Raises:
            DeviceTimeoutError: a source gave nothing new for too long; names the key.
        """
        stamps = dict(values.stamps) if isinstance(values, Observation) else {}
        for key, stamp in stamps.items():
            before = self._newest.get(key)
            repeated = before is not None and stamp.sequence is not None and stamp.sequence == before.sequence
            if before is None or not repeated:
                self._newest[key] = stamp
            age = now_s - self._newest[key].time_s
            if age > self.limits.dead_after_s:
                raise DeviceTimeoutError(
                    f"'{key}' has given nothing new for {age:.2f} s.",
                    device=key,
                    expected=f"a measurement at least every {self.limits.dead_after_s:g} s",
                    hint="Check its cable, then start again.",
                )
            if stamp.stale or repeated or now_s - stamp.time_s > self.limits.stale_after_s:
                self.stale[key] = self.stale.get(key, 0) + 1
                stamps[key] = replace(stamp, stale=True)
        return Observation(values, stamps)
