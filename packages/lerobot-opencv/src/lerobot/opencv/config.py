"""Configuration of an OpenCV camera."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from lerobot.core.config import CameraConfig


class OpenCVCameraConfig(CameraConfig):
    """A camera, video file or image sequence read by OpenCV."""

    target = "lerobot.opencv.camera:OpenCVCamera"
    type: str = "opencv"

    index_or_path: Annotated[int | Path, Field(union_mode="left_to_right")] = Field(
        description=(
            "Camera number; or a device (/dev/video0, or /dev/v4l/by-id/... which survives a reboot); "
            "or a video file, a folder of pictures, or a pattern such as frames/%06d.png."
        )
    )
    color_mode: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the colour channels.")
    rotation: Literal[0, 90, 180, -90] = Field(default=0, description="Clockwise rotation in degrees.")
    warmup_s: float = Field(default=1.0, ge=0, description="Time for exposure to settle after connecting, seconds.")
    fourcc: str | None = Field(
        default=None, min_length=4, max_length=4, description="Pixel format to ask for, such as MJPG or YUYV."
    )
    backend: Literal[0, 200, 700, 800, 1000, 1200, 1400] = Field(
        default=0,
        description="Backend: 0 any, 200 V4L2, 700 DSHOW, 800 PVAPI, 1000 ANDROID, 1200 AVFOUNDATION, 1400 MSMF.",
    )
    frozen_after_s: float = Field(
        default=2.0, gt=0, description="Warn when the picture has not changed in a single pixel for this long, seconds."
    )

    @property
    def capture_size(self) -> tuple[int | None, int | None]:
        """Width and height to ask the device for, before rotation."""
        return (self.height, self.width) if self.rotation in {90, -90} else (self.width, self.height)
