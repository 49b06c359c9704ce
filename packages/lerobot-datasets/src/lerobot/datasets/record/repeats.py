"""Cameras that give one image again and again, each time as if it were new."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.processors.dataset_features import picture_column
from lerobot.core.types import Stamp

SAMPLED = 4096
"""Pixels that are compared, about. A sensor's noise changes some of so many in every image. Comparing and copying them
takes 0.04 ms at 640x480 and at 1920x1080, comparing all pixels 0.1 and 1.2 ms (thread time, Intel Xeon)."""
NOTICED_S = 1.0
"""Repeats shorter than this are not told of: a rendered scene may not change for a few frames."""

STATE = "observation.state"


@dataclass(frozen=True, slots=True)
class _Run:
    """One image from its first time on, and the state of the robot then."""

    sample: NDArray[Any]
    time_s: float
    state: NDArray[Any]


class RepeatedImages:
    """Finds images that come again under new capture times while the robot moves.

    A camera that stopped is known by its old capture times, which the control loop reports. This is the other fault: a
    driver that hands out its last image and says that it was taken now. Where nothing moves, images may repeat.

    Args:
        cameras: their names in observations.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = cameras
        self._runs: dict[str, _Run] = {}
        self._longest_s: dict[str, float] = {}

    @property
    def noticed(self) -> dict[str, float]:
        """Seconds for which a camera repeated one image, the longest time, by camera; from `NOTICED_S` on."""
        return {name: seconds for name, seconds in self._longest_s.items() if seconds >= NOTICED_S}

    def add(self, row: Mapping[str, Any], stamps: Mapping[str, Stamp]) -> None:
        """Compare the images of a row with those before.

        Args:
            row: what is recorded, a value per feature.
            stamps: when each entry of the observation was measured.
        """
        state = np.array(row.get(STATE, ()))
        for name in self._cameras:
            if name not in stamps:
                continue
            image = np.asarray(row[picture_column(name)])
            step = max(1, math.isqrt(image.shape[0] * image.shape[1] // SAMPLED))
            time_s, run = stamps[name].time_s, self._runs.get(name)
            if run is None or not np.array_equal(image[::step, ::step], run.sample):
                # A copy: a camera may use its buffer again.
                self._runs[name] = _Run(image[::step, ::step].copy(), time_s, state)
            elif not np.array_equal(state, run.state):
                self._longest_s[name] = max(self._longest_s.get(name, 0.0), time_s - run.time_s)
