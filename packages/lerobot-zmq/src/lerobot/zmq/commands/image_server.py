"""Configuration of `lerobot image-server`."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CameraConfig, CommandConfig, ConfigModel, Unit
from lerobot.core.loopback import is_loopback
from lerobot.zmq.config import PORT


class PublishOptions(ConfigModel):
    """Where pictures are published, and how."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 is the whole network.")
    allow_anybody: bool = Field(
        default=False,
        description="Listen beyond this computer, although these messages have no token: anybody who reaches the port "
        "sees the pictures.",
    )
    port: int = Field(default=PORT, ge=0, le=65535, description="Port to listen on; 0: any that is free.")
    fps: Annotated[float, Unit("Hz")] = Field(default=30.0, gt=0, description="Messages per second.")
    quality: int = Field(default=80, ge=1, le=95, description="Quality of JPEG.")

    @model_validator(mode="after")
    def _network_is_allowed(self) -> Self:
        if not is_loopback(self.host) and not self.allow_anybody:
            raise PydanticCustomError(
                "publish_anybody",
                "host=127.0.0.1 rather than {host}, or allow_anybody=true as well, because these messages have no "
                "token; `lerobot serve --camera.type=...` has one",
                {"host": self.host},
            )
        return self


class ImageServerConfig(PublishOptions, CommandConfig):
    """Publish the pictures of cameras over ZeroMQ, as huggingface/lerobot does.

    Whoever wants them says `{type: zmq, server_address: HOST, camera_name: NAME}`, here or there. Cameras of this
    project are also served by `lerobot serve --camera.type=...`, which asks for a token and can send depth.
    """

    target: ClassVar[str] = "lerobot.zmq.command:image_server"
    examples: ClassVar[tuple[str, ...]] = (
        'lerobot image-server --cameras="{head: {type: opencv, index_or_path: 4, width: 640, height: 480, fps: 30}}" '
        "--host=0.0.0.0 --allow_anybody=true",
    )

    cameras: dict[str, CameraConfig] = Field(min_length=1, description="Cameras to publish, by name.")
