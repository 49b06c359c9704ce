"""The fake camera: a thread that draws numbered pictures at the configured rate."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from lerobot.core.errors import DeviceError
from lerobot.core.extras import require
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.threaded_camera import ThreadedCamera

FIRST_PICTURE_TIMEOUT_S = 10.0


class FakeCamera(ThreadedCamera):
    """A camera without a lens.

    Args:
        config: see `FakeCameraConfig`.

    Raises:
        LeRobotError: numpy is not installed.
    """

    name = "fake"

    def __init__(self, config: FakeCameraConfig) -> None:
        super().__init__(config)
        require("numpy", extra="cameras", needed_by="the fake camera")
        from lerobot.core.fake.pattern import FramePattern

        self.config = config
        self._pattern = FramePattern(config.width, config.height)

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe the one fake camera there is; no numpy is needed."""
        profile = {"format": "RGB", "width": 640, "height": 480, "fps": 30.0}
        return [
            {"name": "Fake Camera @ 0", "type": "Fake", "id": 0, "simulated": True, "default_stream_profile": profile}
        ]

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "FakeCamera":
        """Build the camera an entry of `find_cameras` describes."""
        profile = found["default_stream_profile"]
        return cls(FakeCameraConfig(fps=profile["fps"], width=profile["width"], height=profile["height"]))

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - part of the protocol
        """See `Camera.connect`; there is no exposure to settle, so `warmup` changes nothing."""
        with self._connecting():
            self._start_reading(FIRST_PICTURE_TIMEOUT_S)

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        """Draw one picture per period, at absolute times so that the rate does not drift."""
        started = time.monotonic()
        for number in count():
            if self._stopping.wait(max(0.0, started + number / self.config.fps - time.monotonic())):
                return
            if self.config.dies_after == number:
                raise DeviceError(
                    f"{self}: the reader thread died after {number} frames, as configured.",
                    device=str(self),
                    hint="Disconnect and connect again.",
                )
            if self.config.freezes_after is not None and number >= self.config.freezes_after:
                self._stopping.wait()
                return
            captured = time.monotonic()
            picture = self._pattern.draw(number)
            self._stopping.wait(self.config.frame_delay_s)
            yield captured, picture
