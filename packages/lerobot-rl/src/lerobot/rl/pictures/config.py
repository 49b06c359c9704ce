"""Regions of interest: what of each picture is looked at, and how large. Light."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import ProcessorStepConfig


class CropPicturesConfig(ProcessorStepConfig):
    """Cuts a region out of a robot's pictures and brings them to one size."""

    target: ClassVar[str] = "lerobot.rl.pictures.step:CropPicturesStep"

    type: str = "crop_pictures"
    regions: dict[str, tuple[int, int, int, int]] = Field(
        default_factory=dict, description="By camera: top, left, height and width of what is kept, pixels."
    )
    size: tuple[int, int] | None = Field(
        default=None, description="Height and width of every picture afterwards, pixels; null: as cut out."
    )
