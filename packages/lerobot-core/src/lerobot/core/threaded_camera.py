"""The camera that a thread of its own reads, while everyone else takes the newest picture."""

import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from lerobot.core.config.base import CameraConfig
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError, DeviceTimeoutError
from lerobot.core.types import Frame

FIRST_PICTURE_TIMEOUT_S = 5.0


class ThreadedCamera(DeviceBase):
    """Optional base of cameras: brings the thread, the four ways of reading, and what happens when it stops.

    A subclass implements `_pictures`. Its `connect` opens the device inside `self._connecting()` and then calls
    `self._start_reading()`; its `_close` calls `super()._close()`, which ends the thread, and then lets go of the
    device.

    Args:
        config: the camera's configuration.
        id: name of this very camera, for messages.
    """

    def __init__(self, config: CameraConfig, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id)
        self.fps: float | None = config.fps
        self.width: int | None = config.width
        self.height: int | None = config.height
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._failure: DeviceError | None = None
        self._delivered = -1

    @abstractmethod
    def _pictures(self) -> Iterator[tuple[float, Any]]:
        """Read the device, in the camera's thread.

        Waits are made with `self._stopping.wait(seconds)`, which returns True once the thread shall end.

        Yields:
            Capture time on the monotonic clock, seconds, and the picture `(H, W, C)`.
        """

    # --- thread ------------------------------------------------------------------------------------------------------

    def _start_reading(self, timeout_s: float = FIRST_PICTURE_TIMEOUT_S) -> Frame:
        """Start the thread and wait for its first picture.

        Raises:
            DeviceTimeoutError: none came in time.
            DeviceError: reading failed.
        """
        self._stopping.clear()
        self._frame, self._failure, self._delivered = None, None, -1
        thread = threading.Thread(target=self._run, name=str(self), daemon=True)
        thread.start()
        self._thread = thread
        return self._next_frame(-1, timeout_s)

    def _close(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            for captured_s, image in self._pictures():
                self._publish(captured_s, image)
                if self._stopping.is_set():
                    return
            if self._stopping.is_set():
                return
            failure = DeviceError(f"{self} stopped giving pictures.", device=str(self))
        except DeviceError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is told to whoever reads next
            failure = DeviceError(f"{self} stopped: {type(error).__name__}: {error}", device=str(self))
            failure.__cause__ = error
        with self._news:
            self._failure = failure
            self._news.notify_all()

    def _publish(self, captured_s: float, image: Any) -> None:
        with self._news:
            number = 0 if self._frame is None else self._frame.sequence + 1
            self._frame = Frame(image, captured_s, number)
            self._news.notify_all()

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        self.require_connected()
        with self._news:
            if self._failure is not None:
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

        def settled() -> bool:
            return self._failure is not None or (self._frame is not None and self._frame.sequence > after)

        with self._news:
            self._news.wait_for(settled, timeout_s)
            if self._failure is not None:
                raise self._failure
            if self._frame is None or self._frame.sequence <= after:
                raise DeviceTimeoutError(f"{self}: no new picture within {timeout_s * 1000:g} ms.", device=str(self))
            return self._frame
