"""A folder with the smallest CLIP and tokenizer that stand in for the published one, made offline."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

SPECIAL = ["<|startoftext|>", "<|endoftext|>"]
VISION: dict[str, Any] = {"width": 16, "hidden": 32, "layers": 2, "heads": 2, "image": 32, "patch": 8}
TEXT: dict[str, Any] = {**{name: VISION[name] for name in ("hidden", "layers", "heads")}, "width": 24, "end_token": 1}
TEXT |= {"vocabulary": 300, "positions": 16}


def write_tiny_tokenizer(folder: Path) -> None:
    """Write a byte-level tokenizer that begins and ends texts, and fills up with ends, as CLIP's does."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Sorted, because the order decides the ids.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=290, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["pick up the red cube and put it into the bin"], trainer)
    begin, end = SPECIAL
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, 0), (end, 1)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=begin, eos_token=end, pad_token=end).save_pretrained(
        folder
    )


def write_tiny_clip(folder: Path, *, end_token: int = 1, activation: str = "quick_gelu") -> None:
    """Write `config.json` of transformers, random weights and a tokenizer.

    Args:
        folder: made if need be; 'clip' must be in its name.
        end_token: what the file says; 2 stands for the largest one.
        activation: of both encoders.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tiny_tokenizer(folder)

    def encoder(size: dict[str, Any]) -> dict[str, Any]:
        return {
            "hidden_size": size["width"],
            "intermediate_size": size["hidden"],
            "num_hidden_layers": size["layers"],
            "num_attention_heads": size["heads"],
            "hidden_act": activation,
        }

    text = {"vocab_size": 300, "max_position_embeddings": 16, "eos_token_id": end_token, "bos_token_id": 0}
    config = CLIPConfig(
        text_config={"pad_token_id": 1, **text, **encoder(TEXT)},
        vision_config={"image_size": VISION["image"], "patch_size": VISION["patch"], **encoder(VISION)},
        projection_dim=16,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a policy on random encoders of those sizes: two cameras, five joints, four actions."""
    return {
        "input_features": {
            "observation.images.front": {"type": "VISUAL", "shape": (3, 36, 40)},
            "observation.images.wrist": {"type": "VISUAL", "shape": (3, 36, 40)},
            "observation.state": {"type": "STATE", "shape": (5,)},
        },
        "output_features": {"action": {"type": "ACTION", "shape": (4,)}},
        "device": "cpu",
        "vision_encoder_name": str(folder),
        "text_encoder_name": str(folder),
        "vision_size": VISION,
        "text_size": TEXT,
        "horizon": 8,
        "n_action_steps": 3,
        "hidden_dim": 32,
        "num_layers": 2,
        "num_heads": 2,
        "timestep_embed_dim": 16,
        "image_crop_shape": (32, 32),
        "num_train_timesteps": 10,
        "num_integration_steps": 4,
        "tokenizer_max_length": 16,
        **changes,
    }
