"""Configurations of a LeKiwi on its own computer, and of its client on another one."""

from typing import Any

from pydantic import Field

from lerobot.core.config.base import CameraConfig, plugin_class
from lerobot.motors.arms.config import FollowerConfig


def two_cameras() -> dict[str, CameraConfig]:
    """The cameras of the kit, mounted as its instructions have it: upside down in front, on its side at the wrist.

    Raises:
        PluginError: there is no plugin for USB cameras; names the package.
    """
    camera: Any = plugin_class(CameraConfig, "opencv")
    shared: dict[str, Any] = {"fps": 30, "fourcc": "MJPG"}
    return {
        "front": camera(index_or_path="/dev/video0", width=640, height=480, rotation=180, **shared),
        "wrist": camera(index_or_path="/dev/video2", width=480, height=640, rotation=90, **shared),
    }


class LeKiwiConfig(FollowerConfig):
    """A LeKiwi, driven by the computer that it carries."""

    target = "lerobot.lekiwi.robot:LeKiwi"

    type: str = "lekiwi"
    port: str = Field(default="/dev/ttyACM0", description="Serial port of the servos; `lerobot find-port` finds it.")
    cameras: dict[str, CameraConfig] = Field(
        default_factory=two_cameras,
        description="Cameras by name; if none are given, the two of the kit, front and wrist. {} is none.",
    )
    use_degrees: bool = Field(default=True, description="Joints in degrees; false gives -100 to 100.")
    num_read_retries: int = Field(
        default=2, ge=0, description="How often a lost reading is asked for again, if more than the bus does anyway."
    )
