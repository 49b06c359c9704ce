"""What names a vision-language model of SmolVLA and says its sizes. Light: it imports no array library."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel
from lerobot.policies.networks.sizes import DecoderSize, VisionSize

SMOLVLM2_500M = "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"


class SmolVLMSize(ConfigModel):
    """Sizes of a vision-language model, for one that is neither published nor in a folder."""

    vision: VisionSize = Field(description="Its transformer for images.")
    text: DecoderSize = Field(description="Its language model.")
    scale_factor: int = Field(default=4, gt=0, description="Patches along a side that become one token.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="bfloat16", description="Type of the weights of language model and action expert."
    )
    fake_image_token: int | None = Field(default=None, ge=0, description="Token around an image.")
    global_image_token: int | None = Field(default=None, ge=0, description="Token that says a whole image follows.")

    @model_validator(mode="after")
    def _patches_fit(self) -> Self:
        if self.vision.image % self.vision.patch or self.vision.patches_per_side % self.scale_factor:
            raise PydanticCustomError("smolvlm_patches", "whole patches in an image, a multiple of scale_factor")
        return self
