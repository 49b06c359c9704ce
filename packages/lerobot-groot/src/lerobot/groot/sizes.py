"""Sizes of the networks of GR00T N1.5. Light: it imports no array library.

Source: configuration files published with nvidia/GR00T-N1.5-3B.
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel
from lerobot.policies.networks.sizes import DecoderSize, VisionSize


class TransformerSize(ConfigModel):
    """A stack of transformer blocks."""

    layers: int = Field(gt=0, description="Blocks.")
    heads: int = Field(gt=0, description="Heads of attention.")
    head_width: int = Field(gt=0, description="Width of a head.")
    dropout: float = Field(default=0.2, ge=0, lt=1, description="Share of numbers that learning leaves out.")

    @property
    def width(self) -> int:
        """Width of a token."""
        return self.heads * self.head_width


class EagleSize(ConfigModel):
    """Eagle 2.5, the vision-language model."""

    vision: VisionSize = Field(description="Its transformer for images.")
    text: DecoderSize = Field(description="Its language model; `layers` are those in use.")
    wavelength: float = Field(default=1e6, gt=0, description="Of rotary positions, the slowest.")
    image_token: int = Field(ge=0, description="Token that a part of an image takes the place of.")
    pixel_shuffle: bool = Field(default=False, description="Join squares of four patches to one token.")
    connector_layers: Literal[1, 2] = Field(default=1, description="Layers between images and language model.")
    projected_width: int | None = Field(default=None, gt=0, description="Width of what is handed on; null: as it is.")

    @model_validator(mode="after")
    def _squares_fit(self) -> Self:
        if self.pixel_shuffle and self.vision.patches_per_side % 2:
            raise PydanticCustomError("eagle_shuffle", "an even number of patches along a side, with pixel_shuffle")
        if self.connector_layers == 2 and not self.pixel_shuffle:
            raise PydanticCustomError("eagle_connector", "pixel_shuffle, with two connector_layers")
        return self

    @property
    def tokens_per_image(self) -> int:
        """Tokens that an image becomes."""
        return self.vision.patches_per_side**2 // (4 if self.pixel_shuffle else 1)

    @property
    def width(self) -> int:
        """Width of what is handed on."""
        return self.projected_width or self.text.width


class HeadSize(ConfigModel):
    """The action head."""

    reader: TransformerSize = Field(description="Blocks that work over what was seen and read.")
    dit: TransformerSize = Field(description="Blocks that carry noise to actions.")
    hidden: int = Field(gt=0, description="Hidden width of what encodes states and decodes actions.")
    embodiments: int = Field(default=32, gt=0, description="Kinds of robots that have weights of their own.")
    future_tokens: int = Field(default=32, ge=0, description="Learned tokens between state and actions.")
    positions: int = Field(default=1024, gt=0, description="Longest chunk that places are learned for.")
    horizon: int = Field(default=16, gt=0, description="Actions of a chunk.")
    steps: int = Field(default=4, gt=0, description="Steps from noise to actions.")
    buckets: int = Field(default=1000, gt=0, description="Times that are told apart.")
    noise_s: float = Field(default=0.999, gt=0, le=1, description="Largest time drawn of the beta distribution.")
    beta_alpha: float = Field(default=1.5, gt=0, description="Of the times to learn from: alpha.")
    beta_beta: float = Field(default=1.0, gt=0, description="Of the times to learn from: beta.")

    @model_validator(mode="after")
    def _positions_suffice(self) -> Self:
        if self.positions < self.horizon or self.dit.width % 2:
            raise PydanticCustomError("groot_head", "a place for each action, and an even width of dit")
        return self


class GrootN15Size(ConfigModel):
    """All networks."""

    eagle: EagleSize = Field(description="The vision-language model.")
    head: HeadSize = Field(description="The action head.")

    @model_validator(mode="after")
    def _widths_fit(self) -> Self:
        if self.head.reader.width != self.eagle.width:
            raise PydanticCustomError(
                "groot_widths", "a head.reader as wide as what Eagle hands on, {width}", {"width": self.eagle.width}
            )
        return self


GROOT_N15_3B = "nvidia/GR00T-N1.5-3B"
EAGLE_ASSETS = "lerobot/eagle2hg-processor-groot-n1p5"

PUBLISHED = GrootN15Size(
    eagle=EagleSize(
        vision=VisionSize(width=1152, hidden=4304, layers=27, heads=16, image=224, patch=14),
        text=DecoderSize(width=2048, hidden=6144, layers=12, heads=16, key_heads=8, head_width=128, vocabulary=151_680),
        image_token=151_669,
    ),
    head=HeadSize(
        reader=TransformerSize(layers=4, heads=32, head_width=64),
        dit=TransformerSize(layers=16, heads=32, head_width=48),
        hidden=1024,
    ),
)
"""Of `GROOT_N15_3B` with the files of `EAGLE_ASSETS`; no file is needed for these."""
