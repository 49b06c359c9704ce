"""A camera of Reachy 2."""

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.threaded_camera import ThreadedCamera
from lerobot.reachy2.config import CAMERA_HZ, Reachy2CameraConfig
from lerobot.remote.wire.errors import WireError

if TYPE_CHECKING:  # gRPC is loaded by connecting
    from lerobot.reachy2.video import Video

log = logging.getLogger(__name__)

PAUSE_S = 0.1
"""How long a server that did not answer is left alone."""


class Reachy2Camera(ThreadedCamera):
    """Shows what one of the robot's cameras sees.

    A thread asks for pictures at the camera's rate; one that was there before is not given out again. A server that is
    lost is asked anew; until it answers the newest picture gets older, which whoever reads it notices.

    Colour pictures come in the camera's size and are fitted into the configured one. Depth is left as it is: its
    size has to be the configured one.

    Args:
        config: see `Reachy2CameraConfig`.
    """

    name = "reachy2_camera"

    def __init__(self, config: Reachy2CameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self._video: Video | None = None
        self._is_silent = False

    def __str__(self) -> str:
        """Which it is, and where."""
        return f"{self.name}({self.config.name} {self.config.image_type}, {self.config.ip_address})"

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - the robot's cameras always run
        """See `Camera.connect`."""
        from lerobot.reachy2.video import Video

        config = self.config
        with self._connecting():
            self._video = video = Video(str(self), config)
            video.open(config.connect_timeout_s)
            self._is_silent = False
            try:
                frame = self._start_reading(config.connect_timeout_s)
            except DeviceTimeoutError as error:
                raise DeviceConnectionError(
                    f"{self} gave no picture within {config.connect_timeout_s:g} s.",
                    device=str(self),
                    hint="Check the camera on the robot's dashboard.",
                ) from error
            self.height, self.width = frame.image.shape[:2]
            self.fps = config.fps or CAMERA_HZ

    def _close(self) -> None:
        super()._close()
        if self._video is not None:
            self._video.close()
            self._video = None

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        period_s, due_s = 1 / (self.config.fps or CAMERA_HZ), time.monotonic()
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            due_s = max(due_s + period_s, time.monotonic())
            try:
                came = self._video.newest() if self._video is not None else None
            except WireError as error:
                self._tell_once(error.what)
                continue
            except DeviceError as error:
                self._tell_once(error.what)
                due_s += PAUSE_S
                continue
            if came is not None:
                self._is_silent = False
                yield came

    def _tell_once(self, what: str) -> None:
        if not self._is_silent:
            log.warning("%s: %s More of this kind is not told.", self, what.rstrip(".") + ".")
        self._is_silent = True
