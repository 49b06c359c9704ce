"""Sizes of the networks of policies that see and read. Light: it imports no array library."""

from collections.abc import Mapping
from typing import Any, Literal

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


class EncoderSize(ConfigModel):
    """A transformer in which tokens see each other."""

    width: int = Field(gt=0, description="Width of a token.")
    hidden: int = Field(gt=0, description="Hidden width of the feed-forward blocks.")
    layers: int = Field(gt=0, description="Layers.")
    heads: int = Field(gt=0, description="Heads of attention.")


class VisionSize(EncoderSize):
    """A transformer for images."""

    image: int = Field(gt=0, description="Height and width of an image, pixels.")
    patch: int = Field(gt=0, description="Height and width of a patch, pixels.")

    @property
    def patches_per_side(self) -> int:
        """Patches along a side of an image."""
        return self.image // self.patch


def vision_size(fields: Mapping[str, Any]) -> VisionSize:
    """Read the sizes that a `vision_config` of transformers has, every one of which it must name.

    Raises:
        KeyError: one is missing.
        ValueError: one is no size.
    """
    return VisionSize(
        width=fields["hidden_size"],
        hidden=fields["intermediate_size"],
        layers=fields["num_hidden_layers"],
        heads=fields["num_attention_heads"],
        image=fields["image_size"],
        patch=fields["patch_size"],
    )


ClipActivation = Literal["quick_gelu", "gelu"]


class ClipVisionSize(VisionSize):
    """CLIP's transformer for images."""

    activation: ClipActivation = Field(default="quick_gelu", description="Of the feed-forward blocks.")
    norm_eps: float = Field(default=1e-5, gt=0, description="Added to variances before they are divided by.")


class ClipTextSize(EncoderSize):
    """CLIP's transformer for texts."""

    vocabulary: int = Field(gt=0, description="Tokens it knows.")
    positions: int = Field(gt=0, description="Longest text, tokens.")
    end_token: int | None = Field(
        default=None, ge=0, description="Token that ends a text, whose first place is taken; null: the largest one."
    )
    activation: ClipActivation = Field(default="quick_gelu", description="Of the feed-forward blocks.")
    norm_eps: float = Field(default=1e-5, gt=0, description="Added to variances before they are divided by.")
