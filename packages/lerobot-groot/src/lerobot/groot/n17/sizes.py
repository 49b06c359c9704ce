"""Sizes of the networks of GR00T N1.7. Light: it imports no array library."""

from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel
from lerobot.groot.sizes import HeadSize, TransformerSize


class GrootN17HeadSize(HeadSize):
    """The action head."""

    future_tokens: int = Field(default=0, ge=0, le=0, description="None.")
    horizon: int = Field(default=40, gt=0, description="Actions of a chunk.")
    text_every: int = Field(
        default=2, gt=0, description="Of so many blocks that look at what was seen and read, one looks at the text."
    )
    state_dropout: float = Field(default=0.2, ge=0, lt=1, description="Share of states that learning leaves out.")
    ramp_rate: float = Field(default=6.0, gt=0, description="How soon a chunk is free of the one that it continues.")


class GrootN17Size(ConfigModel):
    """All networks."""

    backbone: dict[str, Any] = Field(description="Qwen3-VL: the fields of its configuration in `transformers`.")
    layers: int = Field(gt=0, description="Layers of its language model that are kept.")
    head: GrootN17HeadSize = Field(description="The action head.")

    @model_validator(mode="after")
    def _widths_fit(self) -> Self:
        for name in ("text_config", "vision_config"):
            if not isinstance(self.backbone.get(name), dict):
                raise PydanticCustomError("groot_backbone", "a backbone with {name}", {"name": name})
        text = self.backbone["text_config"]
        missing = [name for name in ("hidden_size", "num_hidden_layers", "vocab_size") if name not in text]
        if missing or "image_token_id" not in self.backbone:
            raise PydanticCustomError(
                "groot_backbone", "a backbone with {names}", {"names": ", ".join(missing or ["image_token_id"])}
            )
        if self.head.reader.width != text["hidden_size"]:
            raise PydanticCustomError(
                "groot_widths",
                "a head.reader as wide as what Qwen3-VL hands on, {width}",
                {"width": text["hidden_size"]},
            )
        return self

    @property
    def vocabulary(self) -> int:
        """Tokens of the language model."""
        return int(self.backbone["text_config"]["vocab_size"])

    @property
    def image_token(self) -> int:
        """Token that a part of an image takes the place of."""
        return int(self.backbone["image_token_id"])

    @property
    def patch_width(self) -> int:
        """Numbers of a patch: colours, times and pixels."""
        vision = self.backbone["vision_config"]
        return int(vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2)


GROOT_N17_3B = "nvidia/GR00T-N1.7-3B"
COSMOS = "nvidia/Cosmos-Reason2-2B"

COSMOS_REASON2_2B: dict[str, Any] = {
    "image_token_id": 151_655,
    "video_token_id": 151_656,
    "vision_start_token_id": 151_652,
    "vision_end_token_id": 151_653,
    "tie_word_embeddings": True,
    "text_config": {
        "model_type": "qwen3_vl_text",
        "vocab_size": 151_936,
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 262_144,
        "rope_theta": 5_000_000,
        "rope_scaling": {"rope_type": "default", "mrope_interleaved": True, "mrope_section": [24, 20, 20]},
        "tie_word_embeddings": True,
    },
    "vision_config": {
        "model_type": "qwen3_vl",
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_heads": 16,
        "out_hidden_size": 2048,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [5, 11, 17],
        "in_channels": 3,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    },
}
"""Of `COSMOS`, a Qwen3-VL of two billion parameters."""

PUBLISHED = GrootN17Size(
    backbone=COSMOS_REASON2_2B,
    layers=16,
    head=GrootN17HeadSize(
        reader=TransformerSize(layers=4, heads=32, head_width=64),
        dit=TransformerSize(layers=32, heads=32, head_width=48),
        hidden=1024,
    ),
)
"""Of `GROOT_N17_3B`; no file is needed for these."""
