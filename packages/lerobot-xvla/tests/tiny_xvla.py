"""The smallest X-VLA, and a tokenizer that stands in for BART's, made offline."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 290


def write_tiny_bart_tokenizer(folder: Path) -> None:
    """Write a byte-level tokenizer; the folder is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Sorted, because the order decides the ids.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["pick up the red cube and put it into the bin"], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)


def tiny_florence(**vision: Any) -> dict[str, Any]:
    """A Florence-2 of two stages and one layer, in the form of transformers."""
    return {
        "vision_config": {
            "model_type": "florence_vision",
            "embed_dim": [8, 16],
            "depths": [1, 1],
            "num_heads": [2, 2],
            "num_groups": [2, 2],
            "patch_size": [7, 3],
            "patch_stride": [4, 2],
            "patch_padding": [3, 1],
            "patch_prenorm": [False, True],
            "window_size": 3,
            "projection_dim": 24,
            "max_position_embeddings": 20,
            "max_temporal_embeddings": 5,
            **vision,
        },
        "text_config": {
            "model_type": "bart",
            "vocab_size": VOCABULARY,
            "d_model": 24,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_layers": 1,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 32,
            "max_position_embeddings": 100,
        },
    }


def tiny_network(**changes: Any) -> dict[str, Any]:
    """Sizes of a policy on it."""
    return {
        "florence_config": tiny_florence(),
        "hidden_size": 32,
        "depth": 2,
        "num_heads": 2,
        "num_domains": 3,
        "len_soft_prompts": 4,
        "dim_time": 8,
        "max_len_seq": 200,
        "num_denoising_steps": 2,
        "tokenizer_max_length": 16,
        "resize_imgs_with_padding": (32, 32),
        **changes,
    }


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a policy: two cameras of different sizes, five joints, four actions."""
    return {
        "input_features": {
            "observation.images.front": {"type": "VISUAL", "shape": (3, 32, 40)},
            "observation.images.wrist": {"type": "VISUAL", "shape": (3, 48, 33)},
            "observation.state": {"type": "STATE", "shape": (5,)},
        },
        "output_features": {"action": {"type": "ACTION", "shape": (4,)}},
        "device": "cpu",
        "tokenizer_name": str(folder),
        "chunk_size": 6,
        "n_action_steps": 3,
        "action_mode": "auto",
        "max_state_dim": 8,
        "max_action_dim": 8,
        **tiny_network(),
        **changes,
    }
