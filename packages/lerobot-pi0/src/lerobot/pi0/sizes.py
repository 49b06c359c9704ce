"""Sizes of the networks of the pi models, and the names that stand for them. Light: it imports no array library.

Source: Beyer et al. 2024, arXiv:2407.07726 (PaliGemma); Black et al. 2024, arXiv:2410.24164, appendix B.
"""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel
from lerobot.policies.networks.sizes import DecoderSize, VisionSize

Variant = Literal["gemma_2b", "gemma_300m"]

_VOCABULARY = 257_152
VARIANTS = {
    name: DecoderSize(
        width=width, hidden=hidden, layers=18, heads=8, key_heads=1, head_width=256, vocabulary=_VOCABULARY
    )
    for name, width, hidden in (("gemma_2b", 2048, 16_384), ("gemma_300m", 1024, 4096))
}
"""Decoders by name."""


class PaliGemmaSize(ConfigModel):
    """Sizes of a vision-language model that has no name."""

    vision: VisionSize = Field(description="Its transformer for images.")
    text: DecoderSize = Field(description="Its language model.")


def paligemma_size(variant: Variant, image: int) -> PaliGemmaSize:
    """Give the sizes of PaliGemma: SigLIP So400m and a decoder.

    Args:
        variant: name of the decoder.
        image: height and width of an image, pixels.
    """
    vision = VisionSize(width=1152, hidden=4304, layers=27, heads=16, image=image, patch=14)
    return PaliGemmaSize(vision=vision, text=VARIANTS[variant])
