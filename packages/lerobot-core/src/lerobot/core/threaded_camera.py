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


class NewestFrame:
    """The newest picture of one stream, for as many readers as there are; any thread may use it.

    Args:
        camera: whose stream it is; messages name it.
    """

    def __init__(self, camera: DeviceBase) -> None:
        self._camera = camera
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._failure: DeviceError | None = None
        self._delivered = -1

    def clear(self) -> None:
        """Forget everything; numbers begin anew."""
        with self._news:
            self._frame, self._failure, self._delivered = None, None, -1

    def put(self, captured_s: float, image: Any) -> None:
        """Take a picture in, with its capture time on the monotonic clock in seconds; it gets the next number."""
        with self._news:
            number = 0 if self._frame is None else self._frame.sequence + 1
            self._frame = Frame(image, captured_s, number)
            self._news.notify_all()

    def fail(self, failure: DeviceError) -> None:
        """Tell readers from now on why there are no more pictures."""
        with self._news:
            self._failure = failure
            self._news.notify_all()

    def latest(self) -> Frame:
        """See `Camera.latest_frame`."""
        with self._news:
            if self._failure is not None:
                raise self._failure
            if self._frame is None:
                raise DeviceError(f"{self._camera} has given no picture yet.", device=str(self._camera))
            return self._frame

    def newer(self, after: int, timeout_s: float) -> Frame:
        """Wait for a picture numbered higher than `after`.

        Raises:
            DeviceTimeoutError: none came in time.
            DeviceError: the camera failed.
        """

        def settled() -> bool:
            return self._failure is not None or (self._frame is not None and self._frame.sequence > after)

        with self._news:
            self._news.wait_for(settled, timeout_s)
            if self._failure is not None:
                raise self._failure
            if self._frame is None or self._frame.sequence <= after:
                what = f"{self._camera}: no new picture within {timeout_s * 1000:g} ms."
                raise DeviceTimeoutError(what, device=str(self._camera))
            return self._frame

    def read(self) -> Any:
        """See `Camera.read`."""
        asked_s = time.monotonic()
        frame = self.latest()
        while frame.time_s <= asked_s:
            frame = self.newer(frame.sequence, FIRST_PICTURE_TIMEOUT_S)
        return frame.image

    def undelivered(self, timeout_ms: float) -> Any:
        """See `Camera.async_read`."""
        frame = self.newer(self._delivered, timeout_ms / 1000)
        self._delivered = frame.sequence
        return frame.image


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
        self._newest_frame = NewestFrame(self)

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
        self._newest_frame.clear()
        thread = threading.Thread(target=self._run, name=str(self), daemon=True)
        thread.start()
        self._thread = thread
        return self._newest_frame.newer(-1, timeout_s)

    def _close(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            for captured_s, image in self._pictures():
                self._newest_frame.put(captured_s, image)
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
        self._fail(failure)

    def _fail(self, failure: DeviceError) -> None:
        """Tell whoever reads from now on why there are no more pictures."""
        self._newest_frame.fail(failure)

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        self.require_connected()
        return self._newest_frame.latest()

    def read(self) -> Any:
        """See `Camera.read`."""
        self.require_connected()
        return self._newest_frame.read()

    def async_read(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        self.require_connected()
        return self._newest_frame.undelivered(timeout_ms)

    def read_latest(self, max_age_ms: float = 500) -> Any:
        """See `Camera.read_latest`."""
        return self._young(self.latest_frame(), max_age_ms)

    def _young(self, frame: Frame, max_age_ms: float) -> Any:
        """The picture of a frame.

        Raises:
            DeviceTimeoutError: it is older than `max_age_ms`.
        """
        age_ms = (time.monotonic() - frame.time_s) * 1000
        if age_ms > max_age_ms:
            raise DeviceTimeoutError(
                f"{self}: the newest picture is {age_ms:.0f} ms old.",
                device=str(self),
                expected=f"at most {max_age_ms:g} ms",
            )
        return frame.image
