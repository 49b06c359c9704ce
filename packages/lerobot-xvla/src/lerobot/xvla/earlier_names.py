"""Names that weights had in checkpoints from before Florence-2 was part of transformers.

Source: names are those of huggingface/lerobot 0.4 and 0.6.
"""

import re
from collections.abc import Iterator

from torch import Tensor

from lerobot.policies.checkpoint.weights import Weights

VLM = "model.vlm."
PROJECTION = f"{VLM}image_projection"
TABLES = f"{VLM}language_model.shared.weight", f"{VLM}language_model.encoder.embed_tokens.weight"

_BLOCK = r"(blocks\.\d+\.\d+\.(?:spatial|channel)_block\.)"
_RENAMED = (
    (r"vision_tower\.(convs\.\d+)\.proj\.", r"vision_tower.\1.conv."),
    (rf"vision_tower\.{_BLOCK}(conv[12])\.fn\.dw\.", r"vision_tower.\1\2."),
    (rf"vision_tower\.{_BLOCK}(?:window|channel)_attn\.norm\.", r"vision_tower.\1norm1."),
    (rf"vision_tower\.{_BLOCK}((?:window|channel)_attn)\.fn\.", r"vision_tower.\1\2."),
    (rf"vision_tower\.{_BLOCK}ffn\.norm\.", r"vision_tower.\1norm2."),
    (rf"vision_tower\.{_BLOCK}ffn\.fn\.net\.", r"vision_tower.\1ffn."),
    (r"(image_proj_norm|visual_temporal_embed)\.", r"multi_modal_projector.\1."),
    (r"image_pos_embed\.", r"multi_modal_projector.image_position_embed."),
    (r"language_model\.model\.", r"language_model."),
)


def with_present_names(weights: Weights) -> Weights:
    """Give weights the names of today, and the table of tokens both of its names."""
    if PROJECTION in weights or any(name.startswith(f"{VLM}language_model.model.") for name in weights):
        weights = dict(_named(weights))
    table = next((weights[name] for name in TABLES if name in weights), None)
    return weights if table is None else {**dict.fromkeys(TABLES, table), **weights}


def _named(weights: Weights) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in weights.items():
        if name == PROJECTION:
            yield f"{VLM}multi_modal_projector.image_projection.weight", tensor.t().contiguous()
        elif name != f"{VLM}language_model.final_logits_bias":  # of the decoder's words, which nobody asks for
            yield _present(name), tensor


def _present(name: str) -> str:
    if name.startswith(VLM):
        for old, new in _RENAMED:
            renamed, changes = re.subn(f"^{old}", new, name.removeprefix(VLM))
            if changes:
                return VLM + renamed
    return name
