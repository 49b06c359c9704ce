"""Drive, and record what a person finds worth it, with the seconds before."""

from collections import deque
from dataclasses import replace
from enum import StrEnum

import numpy as np

from lerobot.core.control.status import StatusLine
from lerobot.core.tick import Tick
from lerobot.core.types import Observation
from lerobot.rollout.recording.session import AfterRamp, RecordedRun, drive, recorded_run
from lerobot.rollout.stage import Stage
from lerobot.rollout.strategy import HighlightStrategyConfig


class HighlightWish(StrEnum):
    """What a person may ask for."""

    SAVE = "save"
    """Begin to record, from the remembered seconds on; or end it and save the episode."""
    UPLOAD = "upload"
    """Upload the dataset when the robot is at rest."""
    STOP = "stop"
    """End the run."""


class RingBuffer:
    """The last ticks, as many as there are seconds and memory for.

    Args:
        length: number of ticks.
        most_bytes: memory for their images.
    """

    def __init__(self, length: int, most_bytes: int) -> None:
        self._length = length
        self._most_bytes = most_bytes
        self._ticks: deque[tuple[Tick, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Number of ticks that are remembered."""
        return len(self._ticks)

    def add(self, tick: Tick) -> None:
        """Remember a tick; its images are copied, and the oldest ones forgotten."""
        kept = {
            key: value.copy() if isinstance(value, np.ndarray) else value for key, value in tick.observation.items()
        }
        size = sum(value.nbytes for value in kept.values() if isinstance(value, np.ndarray))
        self._ticks.append((replace(tick, observation=Observation(kept, tick.observation.stamps)), size))
        self._bytes += size
        while self._ticks and (len(self._ticks) > self._length or self._bytes > self._most_bytes):
            self._bytes -= self._ticks.popleft()[1]

    def take(self) -> list[Tick]:
        """Give the remembered ticks, the oldest first, and forget them."""
        ticks = [tick for tick, _ in self._ticks]
        self._ticks.clear()
        self._bytes = 0
        return ticks


class HighlightStrategy:
    """See the module.

    Args:
        config: its configuration.
    """

    def __init__(self, config: HighlightStrategyConfig) -> None:
        self.config = config

    def run(self, stage: Stage) -> int:
        """See `Strategy.run`.

        Raises:
            DatasetError: the dataset cannot be created, resumed, written or uploaded.
        """
        length = max(1, round(self.config.ring_buffer_seconds * stage.config.fps))
        keys = {
            self.config.save_key: HighlightWish.SAVE,
            self.config.push_key: HighlightWish.UPLOAD,
            "esc": HighlightWish.STOP,
        }
        with recorded_run(stage, wishes=HighlightWish, keys=keys, more_rows=length) as run:
            status = StatusLine()
            run.session.close_later("status line", status.close)
            ring = RingBuffer(length, self.config.ring_buffer_max_memory_mb * 2**20)
            ramp = AfterRamp(stage.config.safety.ramp_s if stage.config.safety.enabled else 0.0)
            drive(stage, run, stage.acting, HighlightSink(run, ring, ramp), (status,))
        return run.session.signals.exit_code


class HighlightSink:
    """Remembers every tick, and records while it is asked to.

    Args:
        run: see there.
        ring: remembers.
        ramp: says when the robot follows.
    """

    def __init__(self, run: RecordedRun, ring: RingBuffer, ramp: AfterRamp) -> None:
        self._run = run
        self._ring = ring
        self._ramp = ramp
        self._recording = False

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        for wish in self._run.controls.poll():
            self._fulfil(wish)
        if not self._ramp.follows(tick):
            return
        if self._recording:
            self._run.stream.add(tick)
        else:
            self._ring.add(tick)

    def _fulfil(self, wish: str) -> None:
        run = self._run
        if wish == HighlightWish.STOP:
            run.controls.stop.set()
        elif wish == HighlightWish.UPLOAD:
            run.upload = True
            run.progress.announce("Uploading at the end")
        elif self._recording:
            self._recording = False
            run.stream.cut()
            run.progress.announce("Highlight ends")
        else:
            self._recording = True
            remembered = self._ring.take()
            for tick in remembered:
                run.stream.add(tick)
            run.progress.announce(f"Highlight begins, {len(remembered)} frames ago")
