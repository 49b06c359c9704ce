"""The camera: one thread reads colour and depth, everyone else takes the newest of each."""

import logging
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lerobot.core.capture_clock import CaptureClock
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.threaded_camera import NewestFrame, ThreadedCamera
from lerobot.core.types import Frame
from lerobot.realsense.config import RealSenseCameraConfig
from lerobot.realsense.devices import FIND, OpenCamera, find_cameras, open_camera, place_of
from lerobot.realsense.sdk import pyrealsense2 as rs

log = logging.getLogger(__name__)

QUARTER_TURNS = {0: 0, 90: -1, 180: 2, -90: 1}
"""As numpy counts them, counter-clockwise."""
FIRST_PICTURE_TIMEOUT_S = 10.0
POLL_MS = 200
SILENCE_S = 5.0
"""A camera that gives nothing for so long has stopped."""
LARGEST_MM = np.iinfo(np.uint16).max


class RealSenseCamera(ThreadedCamera):
    """An Intel RealSense camera, or a recording of one, read in the background.

    With depth alone the four ways of reading give depth; with colour too, those of `DepthCamera` do.

    Args:
        config: which camera, and how.
    """

    name: ClassVar[str] = "intelrealsense"

    def __init__(self, config: RealSenseCameraConfig) -> None:
        super().__init__(config, place_of(config))
        self.config = config
        self._newest_depth = NewestFrame(self)
        self._opened: OpenCamera | None = None

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """List attached cameras (see `lerobot.realsense.devices.find_cameras`)."""
        return find_cameras()

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "RealSenseCamera":
        """Build the camera that an entry of `find_cameras` describes."""
        return cls(RealSenseCameraConfig(serial_number_or_name=found["id"]))

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:
        """Open the camera and wait for its first pictures (see `Camera.connect`)."""
        with self._connecting():
            self._newest_depth.clear()
            self._opened = open_camera(self.config)
            frame = self._start_reading(FIRST_PICTURE_TIMEOUT_S)
            if self.config.use_rgb and self.config.use_depth:
                self._newest_depth.newer(-1, FIRST_PICTURE_TIMEOUT_S)
            self.height, self.width = frame.image.shape[:2]
            self.fps = self._opened.fps
            self._check_size()
        if warmup and self.config.warmup_s:
            time.sleep(self.config.warmup_s)

    def _check_size(self) -> None:
        wanted = (self.config.width or self.width, self.config.height or self.height)
        if wanted != (self.width, self.height):
            raise DeviceConnectionError(
                f"{self} gives {self.width}x{self.height} instead of {wanted[0]}x{wanted[1]}.", device=str(self)
            )

    def _close(self) -> None:
        super()._close()
        if self._opened is not None:
            self._opened.pipeline.stop()
            self._opened = None

    def _fail(self, failure: DeviceError) -> None:
        super()._fail(failure)
        self._newest_depth.fail(failure)

    # --- depth beside colour -----------------------------------------------------------------------------------------

    def latest_depth_frame(self) -> Frame:
        """See `DepthCamera.latest_depth_frame`."""
        return self._depth().latest()

    def read_depth(self) -> Any:
        """See `DepthCamera.read_depth`."""
        return self._depth().read()

    def async_read_depth(self, timeout_ms: float = 200) -> Any:
        """See `DepthCamera.async_read_depth`."""
        return self._depth().undelivered(timeout_ms)

    def read_latest_depth(self, max_age_ms: float = 500) -> Any:
        """See `DepthCamera.read_latest_depth`."""
        return self._young(self.latest_depth_frame(), max_age_ms)

    def _depth(self) -> NewestFrame:
        self.require_connected()
        if not self.config.use_depth:
            raise DeviceError(f"{self} was not asked for depth.", device=str(self), hint="Set use_depth=true.")
        return self._newest_depth if self.config.use_rgb else self._newest_frame

    # --- the camera's thread -----------------------------------------------------------------------------------------

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        assert self._opened is not None  # noqa: S101 - `connect` opened it
        align = rs.align(rs.stream.color) if self.config.align_depth else None
        color, depth = Stream(self.config), Stream(self.config, self._opened.depth_scale_mm)
        for frames in self._frame_sets(self._opened.pipeline):
            arrived_s = time.monotonic()
            together = frames if align is None else align.process(frames)
            if self.config.use_depth and (frame := together.get_depth_frame()) and depth.is_new(frame):
                picture = depth.picture(frame, arrived_s)
                if not self.config.use_rgb:
                    yield picture
                    continue
                self._newest_depth.put(*picture)
            if self.config.use_rgb and (frame := together.get_color_frame()) and color.is_new(frame):
                yield color.picture(frame, arrived_s)

    def _frame_sets(self, pipeline: Any) -> Iterator[Any]:
        heard_s = time.monotonic()
        while not self._stopping.is_set():
            try:
                came, frames = pipeline.try_wait_for_frames(timeout_ms=POLL_MS)
            except RuntimeError as error:
                raise DeviceError(f"{self} stopped: {error}.", device=str(self), hint=FIND) from error
            if came:
                heard_s = time.monotonic()
                yield frames
            elif time.monotonic() - heard_s > SILENCE_S:
                raise self._silent()

    def _silent(self) -> DeviceError:
        both = " and depth at the same time" if self.config.use_rgb and self.config.use_depth else ""
        what = f"{self} has given no picture{both} for {SILENCE_S:g} s"
        if self.config.recording is not None:
            return DeviceError(f"{what}.", device=str(self), hint="Look what it holds: realsense-viewer FILE")
        return DeviceError(f"{what}; was it unplugged?", device=str(self), hint=FIND)


class Stream:
    """Makes pictures of the library's frames of one kind.

    Args:
        config: colour order and rotation.
        scale_mm: millimetres per unit of depth; None for colour.
    """

    def __init__(self, config: RealSenseCameraConfig, scale_mm: float | None = None) -> None:
        self._config = config
        self._scale_mm = scale_mm
        self._clock = CaptureClock()
        self._number = -1

    def is_new(self, frame: Any) -> bool:
        """Whether this is another frame than the last: a set repeats one where the other kind is faster."""
        number, self._number = self._number, frame.get_frame_number()
        return bool(number != self._number)

    def picture(self, frame: Any, arrived_s: float) -> tuple[float, NDArray[Any]]:
        """Capture time on the monotonic clock in seconds, and the picture, which is the caller's own."""
        data = np.asanyarray(frame.get_data())
        if self._scale_mm is not None:
            data = millimetres(data, self._scale_mm)[:, :, None]
        elif self._config.color_mode == "bgr":
            data = data[:, :, ::-1]
        turned = np.rot90(data, QUARTER_TURNS[self._config.rotation])
        captured_s = self._clock.here(frame.get_timestamp() / 1000, arrived_s)
        # The library uses the frame's memory again.
        return captured_s, np.array(turned, order="C")


def millimetres(raw: NDArray[np.uint16], scale_mm: float) -> NDArray[np.uint16]:
    """Depth `(H, W)` uint16 in millimetres; what is farther than 65 535 mm is 65 535.

    Args:
        raw: `(H, W)` uint16, as measured.
        scale_mm: millimetres per unit: 1 of most cameras, whose values stay as they are, and 0.1 of the D405.
    """
    if abs(scale_mm - 1) < 1e-6:
        return raw
    return np.rint(np.minimum(raw * np.float64(scale_mm), LARGEST_MM)).astype(np.uint16)
