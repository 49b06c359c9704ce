"""Sizes of the CLIP encoders that Multi-Task DiT can stand on. Light: it imports no array library."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import CONFIG, Checkpoint
from lerobot.policies.networks.sizes import ClipTextSize, ClipVisionSize

Size = TypeVar("Size", ClipTextSize, ClipVisionSize)

CLIP_B16 = "openai/clip-vit-base-patch16"

PUBLISHED = {
    CLIP_B16: (
        ClipVisionSize(width=768, hidden=3072, layers=12, heads=12, image=224, patch=16),
        ClipTextSize(width=512, hidden=2048, layers=12, heads=8, vocabulary=49408, positions=77),
    )
}
"""By name, for images and for texts; no file is needed for these."""

LARGEST = 2
"""What files say that were written before the end of a text was looked up: its token is the largest one."""


def vision_size_of(name: str) -> ClipVisionSize:
    """Give the sizes of a CLIP's encoder for images.

    Args:
        name: published name, or folder or Hub repository with the `config.json` of transformers.

    Raises:
        CheckpointError: there is no such model, or it is another kind of one.
    """
    return PUBLISHED[name][0] if name in PUBLISHED else _read(name, "vision_config", _vision)


def text_size_of(name: str) -> ClipTextSize:
    """Give the sizes of a CLIP's encoder for texts; see `vision_size_of`."""
    return PUBLISHED[name][1] if name in PUBLISHED else _read(name, "text_config", _text)


def _read(name: str, part: str, size_of: Callable[[Mapping[str, Any]], Size]) -> Size:
    path = Checkpoint.at(name).file(CONFIG)
    try:
        return size_of(read_json(path)[part])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} describes no CLIP: {error}", expected="that of a CLIP") from error


def _encoder(fields: Mapping[str, Any]) -> dict[str, Any]:
    # Defaults of transformers, which writes what differs from them in some releases, and everything in others.
    return {
        "layers": fields.get("num_hidden_layers", 12),
        "activation": fields.get("hidden_act", "quick_gelu"),
        "norm_eps": fields.get("layer_norm_eps", 1e-5),
    }


def _vision(fields: Mapping[str, Any]) -> ClipVisionSize:
    return ClipVisionSize(
        width=fields.get("hidden_size", 768),
        hidden=fields.get("intermediate_size", 3072),
        heads=fields.get("num_attention_heads", 12),
        image=fields.get("image_size", 224),
        patch=fields.get("patch_size", 32),
        **_encoder(fields),
    )


def _text(fields: Mapping[str, Any]) -> ClipTextSize:
    end = fields.get("eos_token_id", 49407)
    return ClipTextSize(
        width=fields.get("hidden_size", 512),
        hidden=fields.get("intermediate_size", 2048),
        heads=fields.get("num_attention_heads", 8),
        vocabulary=fields.get("vocab_size", 49408),
        positions=fields.get("max_position_embeddings", 77),
        end_token=None if end == LARGEST else end,
        **_encoder(fields),
    )
