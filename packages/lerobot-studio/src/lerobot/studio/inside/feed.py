"""What pages see of a control loop: its numbers, and its pictures."""

import contextlib
import math
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.core.paths import lerobot_home
from lerobot.core.safety.gate import as_number
from lerobot.core.tick import Tick
from lerobot.studio.inside.encoder import Encoder
from lerobot.studio.inside.link import Link
from lerobot.studio.inside.wire import Message, json_frame, picture_frame

NUMBERS_S, PICTURES_S = 1 / 30, 1 / 15
IDLE_S = 0.25
DISK_S = 5.0


class Feed:
    """Two threads that read the newest tick: one for numbers, one for pictures; both idle while nobody looks.

    Numbers are made when a tick ends, while the control loop sleeps and does not wait for the interpreter. The threads'
    priority is the loop's: a lower one would keep the interpreter from it while another program has the processor.

    Args:
        link: where ticks come from, and where to tell them.
        place: folder that is recorded to; None for the usual one.
    """

    def __init__(self, link: Link, place: Path | None) -> None:
        self._link = link
        self._place = place
        self._stopping = threading.Event()
        self._disk: tuple[float, int | None] = (-math.inf, None)
        work = (("studio numbers", self._tell_numbers), ("studio pictures", self._tell_pictures))
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for name, target in work]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and with it what makes the pictures."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(1.0)

    def _tell_numbers(self) -> None:
        while not self._stopping.wait(NUMBERS_S if self._link.watch else IDLE_S):
            tick = self._link.next_tick(IDLE_S)
            if tick is not None and self._link.watch is not None:
                self._link.put("tick", json_frame(self._numbers(tick)))

    def _numbers(self, tick: Tick) -> Message:
        now = time.monotonic()
        stamps = {key: tick.observation.stamps.get(key) for key in _cameras(tick)}
        return {
            "type": "tick",
            "index": tick.index,
            "time_s": round(tick.start_s, 4),
            "missed": tick.slot - tick.index,
            "observation": _scalars(tick.observation),
            "requested": _scalars(tick.requested),
            "sent": _scalars(tick.sent),
            "interventions": dict(tick.interventions),
            "stopped": tick.stopped,
            "safety": tick.safety_enabled,
            "cameras": {key: None if stamp is None else round(now - stamp.time_s, 3) for key, stamp in stamps.items()},
            "disk_free": self._disk_free(now),
        }

    def _disk_free(self, now: float) -> int | None:
        if now - self._disk[0] > DISK_S:
            place = self._place or lerobot_home()
            while not place.is_dir() and place != place.parent:
                place = place.parent
            with contextlib.suppress(OSError):
                self._disk = now, shutil.disk_usage(place).free
        return self._disk[1]

    def _tell_pictures(self) -> None:
        shown: dict[str, Any] = {}
        with Encoder() as encoder:
            begin_s = time.monotonic()
            while not self._stopping.wait(max(0.001, begin_s + PICTURES_S - time.monotonic())):
                begin_s = time.monotonic()
                tick, watch = self._link.tick, self._link.watch
                if tick is None or watch is None:
                    continue
                for camera in filter(watch.wants, _cameras(tick)):
                    stamp = tick.observation.stamps.get(camera)
                    time_s = tick.start_s if stamp is None else stamp.time_s
                    if shown.get(camera) == time_s or self._stopping.is_set():
                        continue
                    shown[camera] = time_s
                    jpeg = encoder.encode(tick.observation[camera], watch.width)
                    if jpeg is not None:
                        age_s = round(time.monotonic() - time_s, 3)
                        header = {"run": self._link.run, "camera": camera, "age_s": age_s, "stamp": time_s}
                        self._link.put(f"picture {camera}", picture_frame(header, jpeg))


def _cameras(tick: Tick) -> list[str]:
    return [key for key, value in tick.observation.items() if len(getattr(value, "shape", ())) == 3]


def _scalars(values: Mapping[str, Any]) -> dict[str, float]:
    numbers = {key: float(value) if isinstance(value, bool) else as_number(value) for key, value in values.items()}
    return {key: round(number, 4) for key, number in numbers.items() if number is not None}
