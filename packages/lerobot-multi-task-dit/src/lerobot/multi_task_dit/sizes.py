"""Sizes of the CLIP encoders that Multi-Task DiT can stand on. Light: it imports no array library."""

from collections.abc import Mapping
from typing import Any

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import CONFIG, Checkpoint
from lerobot.policies.networks.sizes import ClipTextSize, ClipVisionSize

CLIP_B16 = "openai/clip-vit-base-patch16"

PUBLISHED = {
    CLIP_B16: (
        ClipVisionSize(width=768, hidden=3072, layers=12, heads=12, image=224, patch=16),
        ClipTextSize(width=512, hidden=2048, layers=12, heads=8, vocabulary=49408, positions=77),
    )
}
"""By name, for images and for texts; no file is needed for these."""


def sizes_of(name: str) -> tuple[ClipVisionSize, ClipTextSize]:
    """Give the sizes of a CLIP's encoders for images and for texts.

    Args:
        name: published name, or folder or Hub repository with the `config.json` of transformers.

    Raises:
        CheckpointError: there is no such model, or it is another kind of one.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    path = Checkpoint.at(name).file(CONFIG)
    try:
        fields = read_json(path)
        return _vision(fields["vision_config"]), _text(fields["text_config"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} describes no CLIP: {error}", expected="that of a CLIP") from error


def _encoder(fields: Mapping[str, Any], width: int, hidden: int, heads: int) -> dict[str, Any]:
    # Defaults of transformers, which in some releases writes only what differs from them.
    return {
        "width": fields.get("hidden_size", width),
        "hidden": fields.get("intermediate_size", hidden),
        "layers": fields.get("num_hidden_layers", 12),
        "heads": fields.get("num_attention_heads", heads),
        "activation": fields.get("hidden_act", "quick_gelu"),
        "norm_eps": fields.get("layer_norm_eps", 1e-5),
    }


def _vision(fields: Mapping[str, Any]) -> ClipVisionSize:
    image, patch = fields.get("image_size", 224), fields.get("patch_size", 32)
    return ClipVisionSize(image=image, patch=patch, **_encoder(fields, 768, 3072, 12))


def _text(fields: Mapping[str, Any]) -> ClipTextSize:
    vocabulary, positions = fields.get("vocab_size", 49408), fields.get("max_position_embeddings", 77)
    end = fields.get("eos_token_id", 49407)
    # 2 is what files say that are older than looking it up.
    found = {"vocabulary": vocabulary, "positions": positions, "end_token": None if end == 2 else end}
    return ClipTextSize(**found, **_encoder(fields, 512, 2048, 8))
