"""The smallest pi models, and a tokenizer that stands in for PaliGemma's, made offline."""

from pathlib import Path
from typing import Any

import numpy as np
from transformers import GemmaTokenizer

from lerobot.policies.processing.fast import FastCodec

VOCABULARY = 512
SENTENCES = "pick up the red cube and put it into the bin, then wait; Task State Action 0123456789"
DECODER = {"layers": 2, "heads": 8, "key_heads": 1, "head_width": 8}


def write_tiny_tokenizer(folder: Path) -> None:
    """Write a tokenizer of bytes and single signs that begins every text with `<bos>`, as PaliGemma's does."""
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += sorted({*SENTENCES, "▁", "\n"} - {" "})
    # One word in one token, as PaliGemma has it; its parts must be there too.
    merges = [("A", "c"), ("t", "i"), ("ti", "o"), ("tio", "n"), ("Ac", "tion")]
    tokens += [first + second for first, second in merges]
    tokens += [f"<unused{index}>" for index in range(VOCABULARY - len(tokens))]
    tokenizer = GemmaTokenizer(
        vocab={token: index for index, token in enumerate(tokens)}, merges=merges, add_bos_token=True
    )
    tokenizer.save_pretrained(folder)


def tiny_networks(**changes: Any) -> dict[str, Any]:
    """Settings of the networks: eight heads, for in the peer they cannot be others."""
    return {
        "paligemma": {
            "vision": {"width": 16, "hidden": 32, "layers": 1, "heads": 2, "image": 32, "patch": 8},
            "text": {**DECODER, "width": 32, "hidden": 48, "vocabulary": VOCABULARY},
        },
        "action_expert": {**DECODER, "width": 24, "hidden": 40},
        "image_resolution": (32, 32),
        **changes,
    }


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a policy: two cameras of different sizes, five joints, four actions.

    Args:
        folder: with the tokenizer.
        changes: other settings.
    """
    return {
        "input_features": {
            "observation.images.front": {"type": "VISUAL", "shape": (3, 32, 40)},
            "observation.images.wrist": {"type": "VISUAL", "shape": (3, 48, 33)},
            "observation.state": {"type": "STATE", "shape": (5,)},
        },
        "output_features": {"action": {"type": "ACTION", "shape": (4,)}},
        "device": "cpu",
        "chunk_size": 6,
        "n_action_steps": 3,
        "max_state_dim": 8,
        "max_action_dim": 8,
        "num_inference_steps": 2,
        "tokenizer_max_length": 16,
        "text_tokenizer_name": str(folder),
        **tiny_networks(),
        **changes,
    }


CODES = 200
SPEAKS = {
    "fast_skip_tokens": 8,
    "max_action_tokens": 64,
    "max_decoding_steps": 24,
    "validate_action_token_prefix": False,
    "n_action_steps": 6,
}
"""Settings of Pi0-FAST with which the codes fit into the small vocabulary."""


def write_tiny_codec(folder: Path, steps: int = 6, joints: int = 4) -> None:
    """Write a FAST tokenizer of random chunks that are scaled to about [-1, 1]."""
    chunks = np.cumsum(np.random.default_rng(0).normal(scale=0.3, size=(50, steps, joints)), axis=1).clip(-3, 3)
    FastCodec.fit(chunks, scale=10, vocab_size=CODES).save_pretrained(folder)


def fast_settings(tokenizer: Path, codec: Path, **changes: Any) -> dict[str, Any]:
    """Settings of the smallest Pi0-FAST; see `tiny_settings`."""
    spoken = {**SPEAKS, "action_tokenizer_name": str(codec), "tokenizer_max_length": 80}
    found = tiny_settings(tokenizer, **{**spoken, **changes})
    return {name: value for name, value in found.items() if name not in {"num_inference_steps", "action_expert"}}
