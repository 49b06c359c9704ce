"""The fake camera: a thread that draws numbered pictures at the configured rate."""

import threading
import time
from collections.abc import Callable
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError, DeviceTimeoutError
from lerobot.core.extras import require
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.types import Frame

FIRST_FRAME_TIMEOUT_S = 10.0


def _any(frame: Frame) -> bool:  # noqa: ARG001 - every frame will do
    return True


class FakeCamera(DeviceBase):
    """A camera without a lens.

    Args:
        config: see `FakeCameraConfig`.

    Raises:
        LeRobotError: numpy is not installed.
    """

    name = "fake"

    def __init__(self, config: FakeCameraConfig) -> None:
        super().__init__()
        require("numpy", extra="cameras", needed_by="the fake camera")
        from lerobot.core.fake.pattern import FramePattern

        self.config = config
        self.fps: float | None = config.fps
        self.width: int | None = config.width
        self.height: int | None = config.height
        self._pattern = FramePattern(config.width, config.height)
        self._arrived = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._frame: Frame | None = None
        self._delivered = -1
        self._failure: str | None = None

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe the one fake camera there is; no numpy is needed."""
        profile = {"format": "RGB", "width": 640, "height": 480, "fps": 30.0}
        return [{"name": "Fake Camera @ 0", "type": "Fake", "id": 0, "default_stream_profile": profile}]

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "FakeCamera":
        """Build the camera an entry of `find_cameras` describes."""
        profile = found["default_stream_profile"]
        return cls(FakeCameraConfig(fps=profile["fps"], width=profile["width"], height=profile["height"]))

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - part of the protocol
        """See `Camera.connect`; there is no exposure to settle, so `warmup` changes nothing."""
        with self._connecting():
            self._stop.clear()
            self._frame, self._delivered, self._failure = None, -1, None
            thread = threading.Thread(target=self._run, name="fake-camera", daemon=True)
            thread.start()
            self._thread = thread
            self._wait_for(_any, FIRST_FRAME_TIMEOUT_S)

    def _close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        """Draw one picture per period until stopped, at absolute times so that the rate does not drift."""
        started = time.monotonic()
        number = 0
        while not self._stop.wait(max(0.0, started + number / self.config.fps - time.monotonic())):
            if self.config.dies_after == number:
                with self._arrived:
                    self._failure = f"{self}: the reader thread died after {number} frames, as configured."
                    self._arrived.notify_all()
                return
            if self.config.freezes_after is not None and number >= self.config.freezes_after:
                self._stop.wait()
                return
            captured = time.monotonic()
            picture = self._pattern.draw(number)
            self._stop.wait(self.config.frame_delay_s)
            with self._arrived:
                self._frame = Frame(picture, captured, number)
                self._arrived.notify_all()
            number += 1

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        self.require_connected()
        return self._wait_for(_any, 0.0)

    def read(self) -> Any:
        """See `Camera.read`."""
        self.require_connected()
        asked = time.monotonic()
        return self._wait_for(lambda frame: frame.time_s >= asked, FIRST_FRAME_TIMEOUT_S).image

    def async_read(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        self.require_connected()
        frame = self._wait_for(lambda frame: frame.sequence > self._delivered, timeout_ms / 1e3)
        self._delivered = frame.sequence
        return frame.image

    def read_latest(self, max_age_ms: float = 500) -> Any:
        """See `Camera.read_latest`."""
        frame = self.latest_frame()
        age_ms = (time.monotonic() - frame.time_s) * 1e3
        if age_ms > max_age_ms:
            raise DeviceTimeoutError(
                f"{self}: the newest frame is {age_ms:.1f} ms old.",
                device=str(self),
                expected=f"at most {max_age_ms:g} ms",
            )
        return frame.image

    def _wait_for(self, wanted: Callable[[Frame], bool], timeout_s: float) -> Frame:
        """Wait for a frame that is wanted; the newest one first."""

        def settled() -> bool:
            return self._failure is not None or (self._frame is not None and wanted(self._frame))

        with self._arrived:
            in_time = self._arrived.wait_for(settled, timeout_s)
            self._require_alive()
            if not in_time or self._frame is None:
                raise DeviceTimeoutError(f"{self}: no new frame within {timeout_s * 1e3:g} ms.", device=str(self))
            return self._frame

    def _require_alive(self) -> None:
        if self._failure is not None:
            raise DeviceError(self._failure, device=str(self), hint="Disconnect and connect again.")
