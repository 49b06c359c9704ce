"""The camera: one thread reads the source, everyone else takes the newest picture."""

import logging
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import cv2
import numpy as np

from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.threaded_camera import ThreadedCamera
from lerobot.opencv.config import OpenCVCameraConfig
from lerobot.opencv.identity import find_cameras
from lerobot.opencv.sources import Picture, Source, open_source

log = logging.getLogger(__name__)

ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, -90: cv2.ROTATE_90_COUNTERCLOCKWISE}
FAILURES_BEFORE_GIVING_UP = 10
RETRY_S = 0.05


class OpenCVCamera(ThreadedCamera):
    """A camera read in the background.

    Reading ends when the source fails `FAILURES_BEFORE_GIVING_UP` times in a row; from then on every call raises with
    that cause. `connect` after `disconnect` opens the camera anew.

    Args:
        config: which camera, and how.
    """

    name: ClassVar[str] = "opencv"

    def __init__(self, config: OpenCVCameraConfig) -> None:
        super().__init__(config, str(config.index_or_path))
        self.config = config
        self._source: Source | None = None
        self._last: Picture | None = None
        self._changed_s = 0.0
        self._frozen = False

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """List attached cameras (see `lerobot.opencv.identity.find_cameras`)."""
        return find_cameras()

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "OpenCVCamera":
        """Build the camera that an entry of `find_cameras` describes."""
        return cls(OpenCVCameraConfig(index_or_path=found["id"]))

    @property
    def is_frozen(self) -> bool:
        """Whether the picture has not changed in a single pixel for `frozen_after_s`."""
        return self._frozen

    def connect(self, warmup: bool = True) -> None:
        """Open the camera and wait for its first picture (see `Camera.connect`)."""
        with self._connecting():
            self._last, self._frozen = None, False
            self._source = open_source(self.config)
            self._check_size(self._start_reading().image)
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
        super()._close()
        if self._source is not None:
            self._source.close()
            self._source = None

    def _pictures(self) -> Iterator[tuple[float, Picture]]:
        failures = 0
        while not self._stopping.is_set():
            taken = self._read_source()
            if taken is None:
                failures += 1
                if failures > FAILURES_BEFORE_GIVING_UP:
                    raise DeviceError(
                        f"{self} stopped giving pictures; was it unplugged?",
                        device=str(self),
                        hint="List what is attached: lerobot find-cameras opencv",
                    )
                self._stopping.wait(RETRY_S)
                continue
            failures = 0
            captured_s, picture = taken
            image = self._arranged(picture)
            self._watch_for_freezing(captured_s, image)
            yield captured_s, image

    def _read_source(self) -> tuple[float, Picture] | None:
        if self._source is None:
            return None
        try:
            return self._source.read()
        except cv2.error as error:
            log.warning("%s: %s", self, error)
            return None

    def _arranged(self, picture: Picture) -> Picture:
        """Rotate and order the colours as configured."""
        rotation = ROTATIONS.get(self.config.rotation)
        image = picture if rotation is None else np.asarray(cv2.rotate(picture, rotation), dtype=np.uint8)
        if self.config.color_mode == "rgb":
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        return image

    def _watch_for_freezing(self, captured_s: float, image: Picture) -> None:
        """A sensor's noise changes some pixel in every picture; a picture that repeats exactly is an old one."""
        last, self._last = self._last, image
        if last is None or not np.array_equal(last, image):
            if self._frozen:
                log.warning("%s: the picture moves again", self)
            self._changed_s, self._frozen = captured_s, False
        elif not self._frozen and captured_s - self._changed_s > self.config.frozen_after_s:
            log.warning("%s has given the same picture for %.1f s", self, captured_s - self._changed_s)
            self._frozen = True
