"""Where pictures come from: a device, a video file, a folder or a numbered sequence of pictures."""

import sys
import time
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DeviceConnectionError
from lerobot.opencv.config import OpenCVCameraConfig

Picture = NDArray[np.uint8]

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
FPS_TOLERANCE = 1e-3


class Source(Protocol):
    """Something that gives one picture after another."""

    fps: float
    """Pictures per second; 0 if the source does not say."""

    def read(self) -> tuple[float, Picture] | None:
        """Wait for the next picture.

        Returns:
            Capture time on the monotonic clock in seconds, and the picture `(H, W, 3)` uint8 in BGR; None if the
            source gave nothing this time.
        """
        ...

    def close(self) -> None:
        """Release the source."""
        ...


def open_source(config: OpenCVCameraConfig) -> Source:
    """Open what `index_or_path` names.

    Raises:
        DeviceConnectionError: it does not exist, cannot be opened, or does not give the size or rate asked for.
    """
    place = config.index_or_path
    if isinstance(place, Path) and not place.is_char_device():
        if place.is_dir() or "%" in place.name or place.is_file():
            return RecordedSource(place, config.fps)
        raise DeviceConnectionError(
            f"'{place}' does not exist.",
            expected="a camera device, a video file, a folder of pictures or a pattern such as frames/%06d.png",
            hint="List what is attached: lerobot find-cameras opencv",
        )
    return DeviceSource(place, config)


class DeviceSource:
    """A camera attached to this computer."""

    def __init__(self, place: int | Path, config: OpenCVCameraConfig) -> None:
        self.name = place
        self._capture = cv2.VideoCapture(place if isinstance(place, int) else str(place), config.backend)
        if not self._capture.isOpened():
            raise DeviceConnectionError(
                f"camera '{place}' could not be opened.",
                expected="an attached camera that no other program uses",
                hint="List what is attached: lerobot find-cameras opencv",
            )
        try:
            self._configure(config)
        except BaseException:
            self._capture.release()
            raise
        self.fps = self._capture.get(cv2.CAP_PROP_FPS)

    def _configure(self, config: OpenCVCameraConfig) -> None:
        """Ask for format, size and rate; the format first, because it decides which sizes and rates there are."""
        if config.fourcc:
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*config.fourcc))
        width, height = config.capture_size
        for name, setting, value in (
            ("width", cv2.CAP_PROP_FRAME_WIDTH, width),
            ("height", cv2.CAP_PROP_FRAME_HEIGHT, height),
            ("fps", cv2.CAP_PROP_FPS, config.fps),
        ):
            if value is None:
                continue
            self._capture.set(setting, value)
            actual = self._capture.get(setting)
            if abs(actual - value) > FPS_TOLERANCE * value:
                raise DeviceConnectionError(
                    f"camera '{self.name}' gives {name} {actual:g} instead of {value:g}.",
                    expected="a size and rate the camera has, in the pixel format that is chosen (fourcc)",
                    hint="See its defaults: lerobot find-cameras opencv",
                )

    def read(self) -> tuple[float, Picture] | None:
        """See `Source.read`; the time is the driver's where it has one on the monotonic clock (V4L2)."""
        if not self._capture.grab():
            return None
        grabbed = time.monotonic()
        ok, picture = self._capture.retrieve()
        if not ok:
            return None
        return self._driver_time(grabbed), np.asarray(picture, dtype=np.uint8)

    def _driver_time(self, grabbed: float) -> float:
        """V4L2 stamps its buffers on the monotonic clock; OpenCV hands the stamp on as POS_MSEC."""
        if sys.platform != "linux" or self._capture.getBackendName() != "V4L2":
            return grabbed
        stamped = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return stamped if 0 <= grabbed - stamped < 1 else grabbed

    def close(self) -> None:
        """See `Source.close`."""
        self._capture.release()


class RecordedSource:
    """A video file or pictures, played in real time and again from the start when they end."""

    def __init__(self, place: Path, fps: float | None) -> None:
        self._place = place
        self._files = (
            sorted(file for file in place.iterdir() if file.suffix.lower() in PICTURES) if place.is_dir() else []
        )
        self._capture = None if place.is_dir() else cv2.VideoCapture(str(place), cv2.CAP_ANY)
        self._next = 0
        if not self._files and not (self._capture and self._capture.isOpened()):
            raise DeviceConnectionError(
                f"'{place}' holds no pictures that can be read.",
                expected=f"a video file, or pictures ending in {', '.join(sorted(PICTURES))}",
            )
        recorded = self._capture.get(cv2.CAP_PROP_FPS) if self._capture and "%" not in place.name else 0.0
        self.fps = fps or recorded or 30.0
        self._due = time.monotonic()

    def read(self) -> tuple[float, Picture] | None:
        """See `Source.read`; waits until the picture is due."""
        picture = self._picture()
        if picture is None:
            self._rewind()
            picture = self._picture()
        if picture is None:
            return None
        time.sleep(max(0.0, self._due - time.monotonic()))
        captured = max(self._due, time.monotonic() - 1 / self.fps)
        self._due = captured + 1 / self.fps
        return captured, picture

    def _picture(self) -> Picture | None:
        if self._capture is not None:
            ok, picture = self._capture.read()
            return np.asarray(picture, dtype=np.uint8) if ok else None
        if self._next >= len(self._files):
            return None
        self._next += 1
        loaded = cv2.imread(str(self._files[self._next - 1]), cv2.IMREAD_COLOR)
        return None if loaded is None else np.asarray(loaded, dtype=np.uint8)

    def _rewind(self) -> None:
        self._next = 0
        if self._capture is not None:
            self._capture.release()
            self._capture = cv2.VideoCapture(str(self._place), cv2.CAP_ANY)

    def close(self) -> None:
        """See `Source.close`."""
        if self._capture is not None:
            self._capture.release()
