"""Sizes of the vision-language models that SmolVLA can stand on."""

from collections.abc import Mapping
from typing import Any

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import CONFIG, Checkpoint
from lerobot.policies.networks.sizes import DecoderSize, VisionSize, vision_size
from lerobot.smolvla.vlm import SMOLVLM2_500M, SmolVLMSize

PUBLISHED = {
    SMOLVLM2_500M: SmolVLMSize(
        vision=VisionSize(width=768, hidden=3072, layers=12, heads=12, image=512, patch=16),
        text=DecoderSize(
            width=960,
            hidden=2560,
            layers=32,
            heads=15,
            key_heads=5,
            head_width=64,
            vocabulary=49280,
            norm_eps=1e-5,
        ),
    )
}
"""By name; no file is needed for these."""


def size_of(name: str) -> SmolVLMSize:
    """Give the sizes of a vision-language model.

    Args:
        name: published name, or folder or Hub repository with the `config.json` of transformers.

    Raises:
        CheckpointError: there is no such model, or it is another kind of one.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    path = Checkpoint.at(name).file(CONFIG)
    try:
        return _read(read_json(path))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} describes no SmolVLM: {error}", expected="that of a SmolVLM2") from error


def _read(fields: Mapping[str, Any]) -> SmolVLMSize:
    text, vision = fields["text_config"], fields["vision_config"]
    heads = text["num_attention_heads"]
    return SmolVLMSize(
        vision=vision_size(vision),
        text=DecoderSize(
            width=text["hidden_size"],
            hidden=text["intermediate_size"],
            layers=text["num_hidden_layers"],
            heads=heads,
            key_heads=text.get("num_key_value_heads") or heads,
            head_width=text.get("head_dim") or text["hidden_size"] // heads,
            vocabulary=text["vocab_size"],
            norm_eps=text.get("rms_norm_eps", 1e-6),
        ),
        scale_factor=fields["scale_factor"],
        dtype=text.get("dtype") or text.get("torch_dtype") or "float32",
    )


def image_tokens(name: str, size: SmolVLMSize) -> tuple[int, int]:
    """Give the tokens around an image, and that which says a whole image follows.

    Raises:
        CheckpointError: neither the sizes nor the tokenizer say them.
    """
    if size.fake_image_token is not None and size.global_image_token is not None:
        return size.fake_image_token, size.global_image_token
    path = Checkpoint.at(name).file("tokenizer.json")
    known = {entry["content"]: int(entry["id"]) for entry in read_json(path)["added_tokens"]}
    try:
        return known["<fake_token_around_image>"], known["<global-img>"]
    except KeyError as error:
        raise CheckpointError(
            f"{path} has no token {error}", expected="the tokenizer of a SmolVLM2, or add_image_special_tokens=false"
        ) from error
