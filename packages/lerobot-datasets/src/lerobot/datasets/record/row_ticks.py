"""Rows of a recording whose control loop runs faster than it is recorded."""

from dataclasses import replace

from lerobot.core.tick import Sink, Tick


class RowTicks:
    """A sink that makes one tick of several: what was observed at the first, and what was sent at the last of them.

    Args:
        sink: gets it.
        steps: ticks of the control loop per row.
    """

    def __init__(self, sink: Sink, steps: int) -> None:
        self._sink = sink
        self._steps = steps
        self._first: Tick | None = None

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        if tick.index % self._steps == 0:
            self._first = tick
        if self._first is not None and tick.index % self._steps == self._steps - 1:
            first = self._first
            self._sink.write(
                replace(
                    tick,
                    index=tick.index // self._steps,
                    slot=tick.slot // self._steps,
                    deadline_s=first.deadline_s,
                    start_s=first.start_s,
                    observation=first.observation,
                )
            )
