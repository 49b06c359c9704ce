"""The host of a camera: every client gets each picture, or the newest where the network is slower."""

import logging
import threading
from functools import partial

from lerobot.core.config.base import CameraConfig
from lerobot.core.errors import DeviceTimeoutError
from lerobot.core.protocols.camera import Camera
from lerobot.core.types import FeatureSpec, Frame, Stamp
from lerobot.remote.host.audience import Audience
from lerobot.remote.host.client import Message
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.topics import FRAME, write_stamp

log = logging.getLogger(__name__)

PATIENCE_MS = 200.0


class CameraHost:
    """Serves a camera; see `RobotHost` for who calls what.

    Args:
        camera: connected while it is served; nobody else reads it.
        config: what it was built from.
        pictures: how pictures are sent.
    """

    def __init__(self, camera: Camera, config: CameraConfig, *, pictures: PictureEncoder) -> None:
        self._camera = camera
        self._config = config
        self._pictures = pictures
        self._audience = Audience()

    @property
    def description(self) -> Description:
        """What is served; known once the camera is connected."""
        image = self._camera.latest_frame().image
        spec = FeatureSpec(str(image.dtype), tuple(image.shape), ("height", "width", "channels"))
        fps = self._camera.fps if self._config.fps is None else self._config.fps
        return Description("camera", self._camera.name, {"observation": {"image": spec}}, {"fps": fps})

    def handle(self, link: Link) -> None:
        """Serve one connection."""
        self._audience.attend(link, self.description, lambda _topic, _message: False)

    def run(self, stop: threading.Event | None = None) -> None:
        """Serve until `stop` is set or a signal comes.

        Raises:
            DeviceError: the camera failed.
        """
        with self._camera, self._audience:
            while stop is None or not stop.is_set():
                try:
                    self._camera.async_read(timeout_ms=PATIENCE_MS)
                except DeviceTimeoutError:
                    continue
                frame = self._camera.latest_frame()
                self._audience.publish(FRAME, partial(self._told, frame))

    def _told(self, frame: Frame) -> Message:
        stamp = write_stamp(Stamp(frame.time_s, frame.sequence))
        return {"image": self._pictures(frame.image), "stamp": stamp}
