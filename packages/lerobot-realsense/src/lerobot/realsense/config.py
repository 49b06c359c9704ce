"""Configuration of an Intel RealSense camera."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CameraConfig, Unit

COLOR_OPTIONS = ("exposure", "gain", "white_balance")


class RealSenseCameraConfig(CameraConfig):
    """An Intel RealSense camera, or a recording of one.

    Without fps, width and height the camera's own defaults are taken.
    """

    target = "lerobot.realsense.camera:RealSenseCamera"

    type: str = "intelrealsense"
    serial_number_or_name: str = Field(
        default="",
        description="Serial number, in quotes if it begins with 0; or the name of the model, if only one is attached.",
    )
    recording: Path | None = Field(
        default=None, description="A recording of the camera (.bag, .db3), played again and again in its place."
    )
    color_mode: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the colour channels.")
    use_rgb: bool = Field(default=True, description="Read colour.")
    use_depth: bool = Field(default=False, description="Read depth, of the same size and rate.")
    align_depth: bool = Field(
        default=False, description="Give depth as the colour camera sees it, pixel by pixel; otherwise as measured."
    )
    rotation: Literal[0, 90, 180, -90] = Field(default=0, description="Clockwise rotation in degrees.")
    warmup_s: Annotated[float, Unit("s")] = Field(
        default=1.0, ge=0, description="Time for exposure to settle after connecting."
    )
    exposure: int | None = Field(default=None, description="Exposure of the colour sensor; without it, automatic.")
    gain: int | None = Field(default=None, description="Gain of the colour sensor; with it, exposure is not automatic.")
    white_balance: int | None = Field(default=None, description="White balance of the colour sensor, kelvin.")

    @field_validator("serial_number_or_name", mode="before")
    @classmethod
    def _numbers_are_serial_numbers(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.serial_number_or_name) == (self.recording is not None):
            raise PydanticCustomError("realsense_place", "either serial_number_or_name or recording")
        if not self.use_rgb and not self.use_depth:
            raise PydanticCustomError("realsense_streams", "use_rgb or use_depth to be true")
        if self.align_depth and not (self.use_rgb and self.use_depth):
            raise PydanticCustomError("realsense_align", "use_rgb and use_depth beside align_depth")
        given = [name for name in COLOR_OPTIONS if getattr(self, name) is not None]
        if given and not self.use_rgb:
            raise PydanticCustomError("realsense_color", "use_rgb beside {given}", {"given": ", ".join(given)})
        if len({value is None for value in (self.fps, self.width, self.height)}) > 1:
            raise PydanticCustomError("realsense_size", "all of fps, width and height, or none of them")
        return self

    @property
    def capture_size(self) -> tuple[int, int] | None:
        """Width and height to ask the camera for, before rotation; None for its defaults."""
        if self.width is None or self.height is None:
            return None
        return (self.height, self.width) if self.rotation in {90, -90} else (self.width, self.height)

    @property
    def has_color(self) -> bool:
        """Whether colour is read."""
        return self.use_rgb

    @property
    def has_depth(self) -> bool:
        """Whether depth is read."""
        return self.use_depth
