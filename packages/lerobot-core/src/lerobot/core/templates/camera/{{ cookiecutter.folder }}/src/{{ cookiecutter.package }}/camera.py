"""{{ cookiecutter.title }}: the Camera protocol; one thread reads, everyone else takes the newest frame."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.types import Frame

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config

Image = npt.NDArray[np.uint8]

FIRST_FRAME_TIMEOUT_S = 5.0


def any_frame(frame: Frame) -> bool:
    """Accept every frame."""
    return frame.sequence >= 0


class {{ cookiecutter.class_name }}(DeviceBase):
    """The camera.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`.
    """

    name = "{{ cookiecutter.name }}"

    def __init__(self, config: {{ cookiecutter.class_name }}Config) -> None:
        super().__init__()
        self.config = config
        self.fps: float | None = config.fps
        self.width: int | None = config.width
        self.height: int | None = config.height
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._frame: Frame | None = None
        self._delivered = -1
        self._failure: Exception | None = None

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe attached cameras. YOURS: ask your SDK."""
        found = {"name": "{{ cookiecutter.title }} @ virtual", "id": "virtual"}
        return [{**found, "type": "{{ cookiecutter.class_name }}"}]

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "{{ cookiecutter.class_name }}":
        """Build the camera that an entry of `find_cameras` describes."""
        return cls({{ cookiecutter.class_name }}Config(serial_number=found["id"]))

    def capture(self, number: int) -> Image:
        """Take one picture, `(H, W, 3)` uint8 RGB. YOURS: read your camera; here a bright column moves to the right."""
        picture = np.full((self.config.height, self.config.width, 3), 40, np.uint8)
        picture[:, number % self.config.width] = 255
        return picture

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:
        """Open the camera and wait for its first picture. YOURS: let exposure settle if `warmup`."""
        with self._connecting():
            if self.config.serial_number != "virtual":
                raise DeviceConnectionError(f"there is no camera {self.config.serial_number!r}", expected="'virtual'")
            self._stop.clear()
            self._frame, self._delivered, self._failure = None, -1, None
            thread = threading.Thread(target=self._run, name=str(self), daemon=True)
            thread.start()
            self._thread = thread
            self._wait_for(any_frame, FIRST_FRAME_TIMEOUT_S)

    def _close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        started, number = time.monotonic(), 0
        try:
            while not self._stop.wait(max(0.0, started + number / self.config.fps - time.monotonic())):
                captured = time.monotonic()
                frame = Frame(self.capture(number), captured, number)
                with self._news:
                    self._frame = frame
                    self._news.notify_all()
                number += 1
        except Exception as error:  # whatever ends the thread is told to whoever reads next
            with self._news:
                self._failure = error
                self._news.notify_all()

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """Return the newest picture without waiting."""
        self.require_connected()
        return self._wait_for(any_frame, 0.0)

    def read(self) -> Image:
        """Wait for a picture taken after this call."""
        self.require_connected()
        asked = time.monotonic()
        return self._picture(lambda frame: frame.time_s >= asked, FIRST_FRAME_TIMEOUT_S)

    def async_read(self, timeout_ms: float = 200) -> Image:
        """Return the next picture that was not returned before."""
        self.require_connected()
        return self._picture(lambda frame: frame.sequence > self._delivered, timeout_ms / 1e3)

    def read_latest(self, max_age_ms: float = 500) -> Image:
        """Return the newest picture if it is young enough."""
        frame = self.latest_frame()
        age_ms = (time.monotonic() - frame.time_s) * 1e3
        if age_ms > max_age_ms:
            raise DeviceTimeoutError(f"{self}: the newest picture is {age_ms:.1f} ms old", device=str(self))
        image: Image = frame.image
        return image

    def _picture(self, wanted: Callable[[Frame], bool], timeout_s: float) -> Image:
        frame = self._wait_for(wanted, timeout_s)
        self._delivered = frame.sequence
        image: Image = frame.image
        return image

    def _wait_for(self, wanted: Callable[[Frame], bool], timeout_s: float) -> Frame:
        def settled() -> bool:
            return self._failure is not None or (self._frame is not None and wanted(self._frame))

        with self._news:
            in_time = self._news.wait_for(settled, timeout_s)
            if self._failure is not None:
                raise DeviceError(f"{self} stopped: {self._failure}", device=str(self)) from self._failure
            if not in_time or self._frame is None:
                raise DeviceTimeoutError(f"{self}: no picture within {timeout_s * 1e3:g} ms", device=str(self))
            return self._frame
