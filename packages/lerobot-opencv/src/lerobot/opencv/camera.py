"""The camera: one thread reads the source, everyone else takes the newest picture."""

import logging
import threading
import time
from typing import Any, ClassVar

import cv2
import numpy as np

from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.types import Frame
from lerobot.opencv.config import OpenCVCameraConfig
from lerobot.opencv.identity import find_cameras
from lerobot.opencv.sources import Picture, Source, open_source

log = logging.getLogger(__name__)

ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, -90: cv2.ROTATE_90_COUNTERCLOCKWISE}
FIRST_PICTURE_TIMEOUT_S = 5.0
FAILURES_BEFORE_GIVING_UP = 10


class OpenCVCamera(DeviceBase):
    """A camera read in the background.

    The reader thread ends when the source fails `FAILURES_BEFORE_GIVING_UP` times in a row; from then on every call
    raises with that cause. `connect` after `disconnect` opens the camera anew.

    Args:
        config: which camera, and how.
    """

    name: ClassVar[str] = "opencv"

    def __init__(self, config: OpenCVCameraConfig) -> None:
        super().__init__(str(config.index_or_path))
        self.config = config
        self.fps = config.fps
        self.width = config.width
        self.height = config.height
        self._source: Source | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._delivered = -1
        self._changed_s = 0.0
        self._failure: DeviceError | None = None

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:
        """Open the camera and wait for its first picture (see `Camera.connect`)."""
        with self._connecting():
            self._frame, self._failure, self._delivered = None, None, -1
            self._stop.clear()
            self._source = open_source(self.config)
            self._thread = threading.Thread(target=self._run, args=(self._source,), name=f"{self}", daemon=True)
            self._thread.start()
            first = self._next_frame(-1, FIRST_PICTURE_TIMEOUT_S)
            self._check_size(first.image)
            self.fps = self.config.fps or self._source.fps or None
        if warmup and self.config.warmup_s:
            time.sleep(self.config.warmup_s)

    def _check_size(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        if (self.config.width or width, self.config.height or height) != (width, height):
            raise DeviceConnectionError(
                f"{self} gives {width}x{height} instead of {self.config.width}x{self.config.height}.",
                device=str(self),
                expected="the size of the source, after rotation",
            )
        self.width, self.height = width, height

    def _close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * FIRST_PICTURE_TIMEOUT_S)
            self._thread = None
        if self._source is not None:
            self._source.close()
            self._source = None

    # --- reader thread -----------------------------------------------------------------------------------------------

    def _run(self, source: Source) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                taken = source.read()
            except cv2.error as error:
                log.warning("%s: %s", self, error)
                taken = None
            if taken is not None:
                failures = 0
                self._publish(*taken)
                continue
            failures += 1
            if failures > FAILURES_BEFORE_GIVING_UP:
                self._fail(f"{self} stopped giving pictures; was it unplugged?")
                return
            self._stop.wait(0.05)

    def _publish(self, captured_s: float, picture: Picture) -> None:
        rotation = ROTATIONS.get(self.config.rotation)
        image = picture if rotation is None else cv2.rotate(picture, rotation)
        if self.config.color_mode == "rgb":
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        with self._news:
            last = self._frame
            self._frame = Frame(image, captured_s, last.sequence + 1 if last else 0)
            self._news.notify_all()
        self._watch_for_freezing(last, captured_s, image)

    def _watch_for_freezing(self, last: Frame | None, captured_s: float, image: Any) -> None:
        """A sensor's noise changes some pixel in every picture; a picture that repeats exactly is an old one."""
        if last is None or not np.array_equal(last.image, image):
            if self._changed_s < 0:
                log.warning("%s: the picture moves again", self)
            self._changed_s = captured_s
        elif 0 < self._changed_s < captured_s - self.config.frozen_after_s:
            log.warning("%s has given the same picture for %.1f s", self, captured_s - self._changed_s)
            self._changed_s = -1.0

    @property
    def is_frozen(self) -> bool:
        """Whether the picture has not changed in a single pixel for `frozen_after_s`."""
        return self._changed_s < 0

    def _fail(self, what: str) -> None:
        with self._news:
            self._failure = DeviceError(
                what, device=str(self), hint="List what is attached: lerobot find-cameras opencv"
            )
            self._news.notify_all()

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        self.require_connected()
        with self._news:
            if self._failure:
                raise self._failure
            if self._frame is None:
                raise DeviceError(f"{self} has given no picture yet.", device=str(self))
            return self._frame

    def read(self) -> Any:
        """See `Camera.read`."""
        self.require_connected()
        asked_s = time.monotonic()
        frame = self.latest_frame()
        while frame.time_s <= asked_s:
            frame = self._next_frame(frame.sequence, FIRST_PICTURE_TIMEOUT_S)
        return frame.image

    def async_read(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        self.require_connected()
        frame = self._next_frame(self._delivered, timeout_ms / 1000)
        self._delivered = frame.sequence
        return frame.image

    def read_latest(self, max_age_ms: float = 500) -> Any:
        """See `Camera.read_latest`."""
        frame = self.latest_frame()
        age_ms = (time.monotonic() - frame.time_s) * 1000
        if age_ms > max_age_ms:
            raise DeviceTimeoutError(
                f"{self}: the newest picture is {age_ms:.0f} ms old.",
                device=str(self),
                expected=f"at most {max_age_ms:g} ms",
            )
        return frame.image

    def _next_frame(self, after: int, timeout_s: float) -> Frame:
        """Wait for a picture numbered higher than `after`."""
        with self._news:
            self._news.wait_for(
                lambda: self._failure is not None or (self._frame is not None and self._frame.sequence > after),
                timeout_s,
            )
            if self._failure:
                raise self._failure
            if self._frame is None or self._frame.sequence <= after:
                raise DeviceTimeoutError(
                    f"{self} gave no new picture within {timeout_s * 1000:.0f} ms.", device=str(self)
                )
            return self._frame

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """List attached cameras (see `lerobot.opencv.identity.find_cameras`)."""
        return find_cameras()

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "OpenCVCamera":
        """Build the camera that an entry of `find_cameras` describes."""
        return cls(OpenCVCameraConfig(index_or_path=found["id"]))
