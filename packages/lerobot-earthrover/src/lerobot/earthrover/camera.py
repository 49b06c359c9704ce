"""A camera of the rover."""

import time
from collections.abc import Iterator
from typing import Any

from lerobot.core.errors import DeviceTimeoutError
from lerobot.core.threaded_camera import ThreadedCamera
from lerobot.core.types import Frame
from lerobot.earthrover.config import RoverCameraConfig
from lerobot.earthrover.messages import decode_image
from lerobot.earthrover.route import Route


class RoverCamera(ThreadedCamera):
    """Shows the newest image of one view, with the time it was asked for; one that is too old is refused.

    Args:
        config: which rover, and which of its cameras.
    """

    name = "earthrover_camera"

    def __init__(self, config: RoverCameraConfig) -> None:
        super().__init__(config, config.view)
        self._rover = config.rover
        view = config.view
        self._route: Route[Any] = Route(
            str(self),
            self._rover.sdk_url,
            f"/v2/{view}",
            lambda answer: decode_image(answer, view),
            timeout_s=self._rover.read_timeout_s,
        )

    def __str__(self) -> str:
        """Which camera, and where."""
        return f"camera {self.id} of {self._rover.sdk_url}"

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - it runs already
        """See `Camera.connect`."""
        with self._connecting():
            self._route.open()
            try:
                self._start_reading(self._rover.connect_timeout_s)
            except DeviceTimeoutError as error:
                raise self._route.explained(error) from error

    def _close(self) -> None:
        self._stopping.set()
        self._route.abort()
        super()._close()
        self._route.close()

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        while not self._stopping.is_set():
            if (came := self._route.news()) is not None:
                yield came.time_s, came.value

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`.

        Raises:
            DeviceTimeoutError: the newest image is older than `EarthRoverMiniPlusConfig.max_age_s`.
        """
        frame = super().latest_frame()
        age_s = time.monotonic() - frame.time_s
        if age_s > self._rover.max_age_s:
            raise self._route.explained(
                DeviceTimeoutError(
                    f"{self} has given nothing new for {age_s:.2f} s.",
                    device=str(self),
                    expected=f"an image at least every {self._rover.max_age_s:g} s",
                    hint="Check the rover's mobile network.",
                )
            )
        return frame
