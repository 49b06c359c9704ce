"""The smallest GR00T N1.7, and files that stand in for those of Qwen3-VL and of NVIDIA, made offline."""

import json
from pathlib import Path
from typing import Any

from tiny_groot import SENTENCE, special
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

WORDS = 290
SPECIAL = [
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
]
IMAGE_TOKEN, VIDEO_TOKEN = WORDS + 5, WORDS + 6
VOCABULARY = WORDS + len(SPECIAL)

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_backbone(*, layers: int = 3, heads: int = 4, patch: int = 4) -> dict[str, Any]:
    """Fields of the configuration of a Qwen3-VL."""
    return {
        "image_token_id": IMAGE_TOKEN,
        "video_token_id": VIDEO_TOKEN,
        "vision_start_token_id": WORDS + 3,
        "vision_end_token_id": WORDS + 4,
        "tie_word_embeddings": True,
        "text_config": {
            "model_type": "qwen3_vl_text",
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "rms_norm_eps": 1e-6,
            "max_position_embeddings": 4096,
            "rope_theta": 5_000_000,
            "rope_scaling": {"rope_type": "default", "mrope_interleaved": True, "mrope_section": [2, 1, 1]},
            "tie_word_embeddings": True,
        },
        "vision_config": {
            "model_type": "qwen3_vl",
            "depth": 3,
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_heads": 2,
            "out_hidden_size": 32,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
            "in_channels": 3,
            "patch_size": patch,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    }


def tiny_sizes(**head: Any) -> dict[str, Any]:
    """Sizes of the networks; `head` are other sizes of the action head."""
    return {
        "backbone": tiny_backbone(),
        "layers": 2,
        "head": {
            "reader": {"layers": 2, "heads": 4, "head_width": 8, "dropout": 0.1},
            "dit": {"layers": 6, "heads": 2, "head_width": 12, "dropout": 0.1},
            "hidden": 24,
            "positions": 12,
            "horizon": 6,
            **head,
        },
    }


def write_tiny_assets(folder: Path, *, backbone: dict[str, Any] | None = None, least: int = 16 * 16) -> None:
    """Write a folder like that of Cosmos-Reason2, but for its weights.

    Args:
        folder: made if need be.
        backbone: as `tiny_backbone` gives it; None for that.
        least: pixels that an image has, at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backbone = tiny_backbone() if backbone is None else backbone
    patch = backbone["vision_config"]["patch_size"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        [SENTENCE], trainers.BpeTrainer(vocab_size=WORDS, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    words: dict[str, int] = model["vocab"]
    words |= {f"<unused{index}>": index for index in range(len(words), WORDS)}
    images = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "size": {"shortest_edge": least, "longest_edge": 64 * 64},
        "patch_size": patch,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    written = {
        "config.json": {"model_type": "qwen3_vl", **backbone},
        "vocab.json": words,
        "added_tokens.json": {word: WORDS + index for index, word in enumerate(SPECIAL)},
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer",
            "added_tokens_decoder": {str(WORDS + index): special(word) for index, word in enumerate(SPECIAL)},
            "additional_special_tokens": SPECIAL[1:],
            "eos_token": SPECIAL[2],
            "pad_token": SPECIAL[0],
            "model_max_length": 4096,
            "chat_template": TEMPLATE,
        },
        "preprocessor_config.json": images,
        "video_preprocessor_config.json": {**images, "video_processor_type": "Qwen3VLVideoProcessor"},
    }
    for name, fields in written.items():
        (folder / name).write_text(json.dumps(fields))
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))


def nvidia_config(sizes: dict[str, Any], states: int, actions: int) -> dict[str, Any]:
    """`config.json` of NVIDIA's layout; `model_name`, where the backbone is described, is to be added."""
    head = {"embodiments": 32, "steps": 4, "text_every": 2, "state_dropout": 0.2, "ramp_rate": 6.0, **sizes["head"]}
    dit, reader = head["dit"], head["reader"]

    def blocks(size: dict[str, Any]) -> dict[str, Any]:
        return {
            "num_layers": size["layers"],
            "num_attention_heads": size["heads"],
            "attention_head_dim": size["head_width"],
            "dropout": size["dropout"],
            "final_dropout": True,
            "positional_embeddings": None,
        }

    return {
        "architectures": ["GR00TN17"],
        "model_type": "Gr00tN1d7",
        "select_layer": sizes["layers"],
        "backbone_embedding_dim": reader["heads"] * reader["head_width"],
        "max_state_dim": states,
        "max_action_dim": actions,
        "action_horizon": head["horizon"],
        "hidden_size": head["hidden"],
        "input_embedding_dim": dit["heads"] * dit["head_width"],
        "max_seq_len": head["positions"],
        "max_num_embodiments": head["embodiments"],
        "num_inference_timesteps": head["steps"],
        "attend_text_every_n_blocks": head["text_every"],
        "state_dropout_prob": head["state_dropout"],
        "rtc_ramp_rate": head["ramp_rate"],
        "diffusion_model_cfg": {
            **blocks(dit),
            "norm_type": "ada_norm",
            "output_dim": head["hidden"],
            "interleave_self_attention": True,
        },
        "vl_self_attention_cfg": blocks(reader),
    }


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a policy: two cameras of different sizes, five joints, four actions.

    Args:
        folder: with the files that `write_tiny_assets` writes.
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
        "max_state_dim": 10,
        "max_action_dim": 8,
        "use_bf16": False,
        "load_base_weights": False,
        "network": tiny_sizes(),
        "vlm_assets": str(folder),
        **changes,
    }
