"""Sizes of Florence-2, as its own configuration and that of transformers say them. Light: it imports no array library.

Defaults are those of transformers: a field that a file leaves out has them.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lerobot.core.config.base import ConfigModel


class _Read(ConfigModel):
    """Of a file that says much more, such as how to write text."""

    model_config = ConfigDict(extra="ignore")


class _ImagePositions(_Read):
    type: Literal["learned_abs_2d"]
    max_pos_embeddings: int = Field(gt=0)


class _TimePositions(_Read):
    type: Literal["COSINE"]
    max_temporal_embeddings: int = Field(gt=0)


class VisionSize(_Read):
    """DaViT, the transformer for images; a number per stage."""

    renamed_fields: ClassVar[Mapping[str, str]] = {"dim_embed": "embed_dim"}

    model_type: Literal["davit", "florence_vision"] | None = None
    embed_dim: tuple[int, ...] = (128, 256, 512, 1024)
    depths: tuple[int, ...] = (1, 1, 9, 1)
    num_heads: tuple[int, ...] = (4, 8, 16, 32)
    num_groups: tuple[int, ...] = (4, 8, 16, 32)
    patch_size: tuple[int, ...] = (7, 3, 3, 3)
    patch_stride: tuple[int, ...] = (4, 2, 2, 2)
    patch_padding: tuple[int, ...] = (3, 1, 1, 1)
    patch_prenorm: tuple[bool, ...] = (False, True, True, True)
    in_channels: int = Field(default=3, gt=0)
    window_size: int = Field(default=12, gt=0)
    mlp_ratio: float = Field(default=4.0, gt=0)
    qkv_bias: bool = True
    drop_path_rate: float = Field(default=0.1, ge=0, lt=1)
    activation_function: Literal["gelu"] = "gelu"
    projection_dim: int = Field(default=1024, gt=0)
    max_position_embeddings: int = Field(default=50, gt=0)
    max_temporal_embeddings: int = Field(default=100, gt=0)
    image_pos_embed: _ImagePositions | None = None
    visual_temporal_embedding: _TimePositions | None = None
    image_feature_source: tuple[Literal["spatial_avg_pool"], Literal["temporal_avg_pool"]] | None = None

    @model_validator(mode="after")
    def _one_number_per_stage(self) -> Self:
        stages = {len(value) for name, value in self if isinstance(value, tuple) and name != "image_feature_source"}
        if len(stages) != 1:
            raise ValueError("as many numbers in each list as there are stages")
        for width, heads, groups in zip(self.embed_dim, self.num_heads, self.num_groups, strict=True):
            if width % heads or width % groups:
                raise ValueError("an embed_dim that num_heads and num_groups divide")
        return self

    @property
    def positions(self) -> int:
        """Places along a side of an image."""
        return self.image_pos_embed.max_pos_embeddings if self.image_pos_embed else self.max_position_embeddings

    @property
    def times(self) -> int:
        """Images of a film."""
        found = self.visual_temporal_embedding
        return found.max_temporal_embeddings if found else self.max_temporal_embeddings


class TextSize(_Read):
    """BART, the encoder for text."""

    model_type: Literal["florence2_language", "bart"] = "florence2_language"
    vocab_size: int = Field(default=50265, gt=0)
    d_model: int = Field(default=1024, gt=0)
    encoder_layers: int = Field(default=12, ge=0)
    encoder_attention_heads: int = Field(default=16, gt=0)
    encoder_ffn_dim: int = Field(default=4096, gt=0)
    max_position_embeddings: int = Field(default=1024, gt=0)
    pad_token_id: int | None = 1
    activation_function: Literal["gelu"] = "gelu"
    scale_embedding: Literal[False] = False
    dropout: float = Field(default=0.1, ge=0, lt=1)
    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    activation_dropout: float = Field(default=0.0, ge=0, lt=1)
    encoder_layerdrop: float = Field(default=0.0, ge=0, lt=1)


class FlorenceSize(_Read):
    """Florence-2."""

    vision_config: VisionSize
    text_config: TextSize

    @model_validator(mode="after")
    def _streams_fit(self) -> Self:
        """Tokens of images and of text are one sequence."""
        if self.vision_config.projection_dim != self.text_config.d_model:
            raise ValueError("a projection_dim of vision_config that is the d_model of text_config")
        if self.text_config.d_model % self.text_config.encoder_attention_heads:
            raise ValueError("a d_model that encoder_attention_heads divides")
        return self
