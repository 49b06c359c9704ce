"""Configuration of `lerobot find-cameras`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import CommandConfig, Positional, Unit


class FindCamerasConfig(CommandConfig):
    """List attached cameras and save a picture of each."""

    target: ClassVar[str] = "lerobot.core.devices.command:find_cameras"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot find-cameras",
        "lerobot find-cameras opencv",
        "lerobot find-cameras --format=json",
    )

    camera_type: Annotated[str | None, Positional()] = Field(
        default=None, description="Look for this type only: a registered name or a part of it, such as realsense."
    )
    output_dir: Path = Field(default=Path("outputs/captured_images"), description="Folder of the pictures.")
    record_time_s: Annotated[float, Unit("s")] = Field(
        default=2.0, ge=0, description="How long each camera is read; its last picture is saved."
    )
    warmup_s: Annotated[float, Unit("s")] = Field(
        default=1.0, ge=0, description="How long each camera is read before that."
    )
    watch: bool = Field(
        default=False,
        description="Keep all cameras open and save their pictures again and again, until Ctrl-C; as json with a line "
        "each time.",
    )
    format: Literal["table", "json"] = Field(default="table", description="How the list is written.")
