"""One line on the terminal that says how the run is going."""

import sys
from typing import TextIO

from lerobot.core.safety.latch import RELEASE, STOPPED
from lerobot.core.tick import Tick

TERMINAL_PERIOD_S = 0.2
PLAIN_PERIOD_S = 2.0


class StatusLine:
    """Shows rate and joint values: rewritten five times a second on a terminal, a line now and then elsewhere.

    Args:
        stream: where to write; standard output if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._period_s = TERMINAL_PERIOD_S if self._terminal else PLAIN_PERIOD_S
        self._shown: Tick | None = None

    def write(self, tick: Tick) -> None:
        """Take note of a tick; write the line when it is time."""
        # The next run of the loop, such as the way back, counts from 0 again.
        if self._shown is None or tick.index < self._shown.index:
            self._shown = tick
        elapsed = tick.start_s - self._shown.start_s
        if elapsed < self._period_s:
            return
        line = status_text(tick, (tick.index - self._shown.index) / elapsed)
        self._shown = tick
        # \r returns to the start of the line, \x1b[K clears what is left of the line before.
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self._terminal and self._shown is not None:
            self._stream.write("\n")
            self._stream.flush()


def status_text(tick: Tick, rate_hz: float) -> str:
    """The line for one tick: rate, time until it was sent, and the sent value of every joint."""
    joints = "  ".join(
        f"{key.removesuffix('.pos')} {value:.1f}" if isinstance(value, float) else f"{key} {value}"
        for key, value in tick.sent.items()
    )
    changed = f"  gate: {len(tick.interventions)}" if tick.interventions else ""
    if tick.stopped:
        reason = next(iter(tick.interventions.values()), STOPPED)
        changed = f"  STOPPED, until: {RELEASE}" if reason == STOPPED else f"  HOLDS: {reason}"
    off = "" if tick.safety_enabled else "  SAFETY OFF"
    return f"{rate_hz:5.1f} Hz  {(tick.sent_time_s - tick.start_s) * 1e3:.2f} ms  {joints}{changed}{off}"
