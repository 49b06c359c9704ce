"""What went over a CAN bus, and what did not come back."""

import time
from dataclasses import dataclass, field

from lerobot.can.frame import Frame
from lerobot.motors.serial.statistics import BusStatistics

FRAME_BITS = 47
"""Bits of a classic frame besides its data, the pause after it included (ISO 11898-1); without stuff bits."""


@dataclass
class CanStatistics(BusStatistics):
    """Counts since the bus was connected, for reports; `packets` and `replies` are frames.

    Attributes:
        strangers: frames of nobody on the bus's list.
        bits: bits of all frames seen, without stuff bits.
        bitrate: bits per second of the bus.
        since: when counting began, monotonic seconds.
    """

    strangers: int = 0
    bits: int = 0
    bitrate: int = 1_000_000
    since: float = field(default_factory=time.monotonic)

    def saw(self, frame: Frame) -> None:
        """Count the bits of a frame."""
        self.bits += FRAME_BITS + 8 * len(frame.data)

    @property
    def load(self) -> float:
        """Part of the bus's time that the frames seen took, 0 to 1; a fifth is missing, the stuff bits."""
        return self.bits / self.bitrate / max(time.monotonic() - self.since, 1e-9)

    @property
    def lost(self) -> int:
        """Answers that never came."""
        return self.timeouts.total()

    def __str__(self) -> str:
        """One line for a log or report."""
        return f"{super().__str__()}, bus load {self.load:.1%}"
