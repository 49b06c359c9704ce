"""Configuration of a camera over ZeroMQ."""

from typing import Annotated, Literal

from pydantic import Field

from lerobot.core.config.base import CameraConfig, NoEffect, Unit

PORT = 5555


class ZMQCameraConfig(CameraConfig):
    """One camera of a server that publishes pictures over ZeroMQ.

    Width and height, if they are not given, are those of the first picture.
    """

    target = "lerobot.zmq.camera:ZMQCamera"

    type: str = "zmq"
    server_address: str = Field(min_length=1, description="Name or address of the server's computer.")
    port: int = Field(default=PORT, ge=1, le=65535, description="Port of the server.")
    camera_name: str = Field(default="zmq_camera", description="Name of the camera at the server.")
    color_mode: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the colour channels.")
    timeout_ms: Annotated[float, Unit("ms")] = Field(
        default=5000, gt=0, description="How long to wait for the first picture; an older picture is refused later."
    )
    warmup_s: Annotated[float, NoEffect()] = Field(default=1.0, ge=0, description="The server's camera is warm.")
