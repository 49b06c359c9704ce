"""Configuration of an EarthRover Mini+."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from lerobot.core.config.base import CameraConfig, RobotConfig, Unit


class EarthRoverMiniPlusConfig(RobotConfig):
    """An EarthRover Mini+ behind the local server of its SDK."""

    target = "lerobot.earthrover.robot:EarthRoverMiniPlus"

    type: str = "earthrover_mini_plus"
    sdk_url: str = Field(default="http://localhost:8000", description="Where the SDK's server listens.")
    connect_timeout_s: Annotated[float, Unit("s")] = Field(
        default=10.0, gt=0, description="How long to wait for the first telemetry and the first image of each camera."
    )
    read_timeout_s: Annotated[float, Unit("s")] = Field(
        default=2.0, gt=0, description="How long an image or the telemetry is waited for before it is asked for again."
    )
    command_timeout_s: Annotated[float, Unit("s")] = Field(
        default=1.0, gt=0, description="How long a command may take to be accepted before it is sent again."
    )
    max_age_s: Annotated[float, Unit("s")] = Field(
        default=1.0,
        gt=0,
        description="An older image is refused, and so are commands when none got through for so long.",
    )
    max_telemetry_age_s: Annotated[float, Unit("s")] = Field(
        default=3.0, gt=0, description="Older telemetry is refused; the rover sends it about once a second."
    )
    watchdog_s: Annotated[float, Unit("s")] = Field(
        default=0.5, gt=0, description="The rover is stopped when no command came for so long."
    )

    @field_validator("sdk_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        try:
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number
            usable = False
        if not usable or parts.query or parts.fragment:
            raise ValueError("an address such as http://localhost:8000")
        return url.rstrip("/")


class RoverCameraConfig(CameraConfig):
    """A camera of the rover; the robot makes it from its own configuration.

    How fast it is depends on the mobile network, so nothing is said about that.
    """

    target = "lerobot.earthrover.camera:RoverCamera"

    rover: EarthRoverMiniPlusConfig = Field(description="The rover.")
    view: str = Field(description="Which of its cameras: front or rear.")
