"""The server: pictures of local cameras for everybody who subscribes."""

import logging
import time
from collections.abc import Mapping
from typing import Self

import zmq
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.protocols import Camera
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.zmq.commands.image_server import PublishOptions
from lerobot.zmq.messages import SentPicture, encode_message

log = logging.getLogger(__name__)

WAITING = 2
"""Messages that wait for a slow subscriber; the next is dropped."""


class ImageServer:
    """Publishes the pictures of connected cameras; a context manager.

    Args:
        cameras: by name; they are connected, give colour, and are closed by who opened them.
        options: where and how.
    """

    def __init__(self, cameras: Mapping[str, Camera], options: PublishOptions) -> None:
        self._cameras = dict(cameras)
        self._options = options
        self._encoder = PictureEncoder("jpeg", options.quality)
        self._published: dict[str, int] = {}
        """Number of the last picture of each camera that was published."""
        self._ahead_s = time.time() - time.monotonic()
        """What the messages' clock, seconds since 1970, is ahead of the cameras'; it does not follow corrections."""

    def __enter__(self) -> Self:
        options = self._options
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.SNDHWM, WAITING)
        try:
            self._socket.bind(f"tcp://{options.host}:{options.port}")
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise DeviceConnectionError(
                f"nothing can listen on {options.host}:{options.port}: {error}.", hint="Choose another port."
            ) from error
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._context.destroy(linger=0)

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return self._socket.getsockopt_string(zmq.LAST_ENDPOINT).removeprefix("tcp://")

    def publish(self) -> None:
        """Send one message with every picture that is new since the last one; it may have none.

        Raises:
            DeviceError: a camera failed, or gives something else than colour.
        """
        pictures = {}
        for name, camera in self._cameras.items():
            frame = camera.latest_frame()
            if frame.sequence == self._published.get(name):
                continue
            if frame.image.dtype != "uint8" or frame.image.shape[2] != 3:
                raise DeviceError(
                    f"camera '{name}' gives {frame.image.dtype}{frame.image.shape}.",
                    device=name,
                    expected="colour, (H, W, 3) uint8, because these messages have nothing else",
                    hint="Depth is sent by: lerobot serve --camera.type=...",
                )
            pictures[name] = SentPicture.of(frame.image, frame.time_s + self._ahead_s, self._encoder)
            self._published[name] = frame.sequence
        self._socket.send(encode_message(pictures))
