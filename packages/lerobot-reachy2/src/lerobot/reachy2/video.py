"""Pictures of Reachy 2 as its messages have them."""

import io
import time
from typing import Any

import numpy as np
from google.protobuf.empty_pb2 import Empty
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from reachy2_sdk_api import video_pb2, video_pb2_grpc

from lerobot.core.errors import DeviceConnectionError
from lerobot.reachy2.config import Reachy2CameraConfig
from lerobot.reachy2.connection import Connection
from lerobot.remote.wire.errors import WireError

NAMES = {"teleop": "teleop_head", "depth": "depth_camera"}
"""How the robot calls its cameras."""
VIEWS = {
    "left": video_pb2.View.LEFT,
    "right": video_pb2.View.RIGHT,
    "rgb": video_pb2.View.LEFT,
    "depth": video_pb2.View.DEPTH,
}
ANSWER_S = 1.0
"""Longest time to wait for a picture."""
DEPTH_ENCODING = "16UC1"
MAX_PIXELS = 50_000_000


class Video:
    """One kind of picture of one camera.

    Args:
        device: name of the device, for messages.
        config: where it is, which it is, and how pictures shall be.
    """

    def __init__(self, device: str, config: Reachy2CameraConfig) -> None:
        self._device = device
        self._config = config
        self._connection = Connection(device, f"{config.ip_address}:{config.port}", answer_s=ANSWER_S)
        self._service = video_pb2_grpc.VideoServiceStub(self._connection.channel)
        self._stamp: tuple[int, int] | None = None

    def open(self, within_s: float) -> None:
        """Ask the robot which cameras it has.

        Raises:
            DeviceConnectionError: it is not there, or has no such camera.
        """
        listed = self._connection.ask(
            self._service.GetAvailableCameras, Empty(), video_pb2.ListOfCameraFeatures, first_within_s=within_s
        )
        cameras = {each.name: each for each in listed.camera_feat}
        name = NAMES[self._config.name]
        if name not in cameras:
            raise DeviceConnectionError(
                f"{self._device}: the robot has no camera {name}.",
                device=self._device,
                expected=f"one of {', '.join(cameras)}" if cameras else "a camera that is plugged in",
            )
        self._request = video_pb2.ViewRequest(camera_feat=cameras[name], view=VIEWS[self._config.image_type])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def newest(self) -> tuple[float, NDArray[Any]] | None:
        """The newest picture, with when it came, on the monotonic clock; None if it was there before.

        Raises:
            WireError: what came is no picture, or none of the configured size.
            DeviceError: there is no answer.
        """
        if self._config.image_type == "depth":
            reply = self._connection.ask(self._service.GetDepth, self._request, video_pb2.FrameRaw)
        else:
            reply = self._connection.ask(self._service.GetFrame, self._request, video_pb2.Frame)
        came_s = time.monotonic()
        # The robot's clock is another one: its times only tell pictures apart.
        stamp = (reply.timestamp.seconds, reply.timestamp.nanos)
        if not reply.data or stamp == self._stamp:
            return None
        self._stamp = stamp
        return came_s, self._depth(reply) if self._config.image_type == "depth" else self._colour(reply.data)

    def _colour(self, data: bytes) -> NDArray[np.uint8]:
        try:
            with Image.open(io.BytesIO(data), formats=["jpeg"]) as jpeg:
                image = jpeg.convert("RGB")
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise WireError(f"a picture of {len(data)} bytes cannot be read: {error}", expected="a JPEG") from error
        size = (self._config.width or image.width, self._config.height or image.height)
        if size != image.size:
            image = image.resize(size, Image.Resampling.BOX)
        array = np.array(image)
        return array if self._config.color_mode == "rgb" else np.ascontiguousarray(array[:, :, ::-1])

    def _depth(self, frame: Any) -> NDArray[np.uint16]:
        height, width, step = frame.height, frame.width, frame.step or 2 * frame.width
        if frame.encoding != DEPTH_ENCODING:
            raise WireError(f"depth comes as {frame.encoding[:20]!r}", expected=DEPTH_ENCODING)
        if not 0 < height * width <= MAX_PIXELS or step < 2 * width or len(frame.data) < height * step:
            raise WireError(f"{len(frame.data)} bytes of depth cannot be {width}x{height} with {step} bytes a row")
        wanted = (self._config.width or width, self._config.height or height)
        if (width, height) != wanted:
            raise WireError(f"depth is {width}x{height}", expected=f"{wanted[0]}x{wanted[1]}, as configured")
        kind = np.dtype(np.uint16).newbyteorder(">" if frame.isbigendian else "<")
        rows = np.frombuffer(frame.data, np.uint8, height * step).reshape(height, step)[:, : 2 * width]
        return np.ascontiguousarray(rows).view(kind).astype(np.uint16)[:, :, np.newaxis]
