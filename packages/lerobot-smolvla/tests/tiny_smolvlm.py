"""A folder with the smallest vision-language model and tokenizer that stand in for SmolVLM2, made offline."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<pad>", "<s>", "</s>", "<fake_token_around_image>", "<global-img>"]


def write_tiny_smolvlm(folder: Path, *, layers: int = 4, dtype: str = "float32") -> None:
    """Write `config.json` and a byte-level tokenizer.

    Args:
        folder: made if need be.
        layers: of the language model.
        dtype: of the language model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Sorted, because the order decides the ids.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=290, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["pick up the red cube and put it into the bin"], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    text: dict[str, Any] = {
        "model_type": "llama",
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "rms_norm_eps": 1e-5,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "dtype": dtype,
    }
    vision = {
        "model_type": "smolvlm_vision",
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = {
        "model_type": "smolvlm",
        "architectures": ["SmolVLMForConditionalGeneration"],
        "text_config": text,
        "vision_config": vision,
        "scale_factor": 2,
        "image_token_id": 5,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(config))


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a policy on that model: two cameras of different sizes, five joints, four actions."""
    return {
        "input_features": {
            "observation.images.front": {"type": "VISUAL", "shape": (3, 32, 40)},
            "observation.images.wrist": {"type": "VISUAL", "shape": (3, 48, 33)},
            "observation.state": {"type": "STATE", "shape": (5,)},
        },
        "output_features": {"action": {"type": "ACTION", "shape": (4,)}},
        "device": "cpu",
        "vlm_model_name": str(folder),
        "num_vlm_layers": 4,
        "chunk_size": 6,
        "n_action_steps": 3,
        "max_state_dim": 8,
        "max_action_dim": 8,
        "resize_imgs_with_padding": (32, 32),
        "num_steps": 2,
        "tokenizer_max_length": 16,
        **changes,
    }
