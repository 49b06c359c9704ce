"""Sizes of the networks of vision-language-action models. Light: it imports no array library."""

from pydantic import Field

from lerobot.core.config.base import ConfigModel


class DecoderSize(ConfigModel):
    """A decoder of a language model."""

    width: int = Field(gt=0, description="Width of a token.")
    hidden: int = Field(gt=0, description="Hidden width of the feed-forward blocks.")
    layers: int = Field(gt=0, description="Layers.")
    heads: int = Field(gt=0, description="Heads of queries.")
    key_heads: int = Field(gt=0, description="Heads of keys and values, each shared by as many heads of queries.")
    head_width: int = Field(gt=0, multiple_of=2, description="Width of a head.")
    vocabulary: int = Field(default=0, ge=0, description="Tokens it knows; 0: none, others give its inputs.")
    norm_eps: float = Field(default=1e-6, gt=0, description="Added to mean squares before they are divided by.")


class VisionSize(ConfigModel):
    """A transformer for images."""

    width: int = Field(gt=0, description="Width of a token.")
    hidden: int = Field(gt=0, description="Hidden width of the feed-forward blocks.")
    layers: int = Field(gt=0, description="Layers.")
    heads: int = Field(gt=0, description="Heads of attention.")
    image: int = Field(gt=0, description="Height and width of an image, pixels.")
    patch: int = Field(gt=0, description="Height and width of a patch, pixels.")

    @property
    def patches_per_side(self) -> int:
        """Patches along a side of an image."""
        return self.image // self.patch
