"""The smallest GR00T N1.5, and files that stand in for Eagle's, made offline."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

VOCABULARY = 320
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<IMG_CONTEXT>", "<img>", "</img>"]
IMAGE_TOKEN = 303
"""Of `SPECIAL[3]`, for the words before it are 300."""

TEMPLATE = (
    "{% set pictures = namespace(seen=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{% set pictures.seen = pictures.seen + 1 %}<image-{{ pictures.seen }}>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SENTENCE = "pick up the red cube and put it into the bin; You are a helpful assistant. system user image Perform task"


def tiny_sizes(*, shuffle: bool = False, **head: Any) -> dict[str, Any]:
    """Sizes of the networks.

    Args:
        shuffle: join squares of patches, with a connector of two layers.
        head: other sizes of the action head.
    """
    return {
        "eagle": {
            "vision": {"width": 16, "hidden": 32, "layers": 1, "heads": 2, "image": 32, "patch": 8},
            "text": {
                "width": 32,
                "hidden": 48,
                "layers": 2,
                "heads": 4,
                "key_heads": 2,
                "head_width": 8,
                "vocabulary": VOCABULARY,
            },
            "image_token": IMAGE_TOKEN,
            "pixel_shuffle": shuffle,
            "connector_layers": 2 if shuffle else 1,
        },
        "head": {
            "reader": {"layers": 2, "heads": 4, "head_width": 8, "dropout": 0.1},
            "dit": {"layers": 4, "heads": 2, "head_width": 12, "dropout": 0.1},
            "hidden": 24,
            "future_tokens": 5,
            "positions": 8,
            "horizon": 6,
            **head,
        },
    }


def write_tiny_assets(folder: Path, sizes: dict[str, Any] | None = None) -> None:
    """Write a folder like that of Eagle's tokenizer.

    Args:
        folder: made if need be.
        sizes: as `tiny_sizes` gives them; None for those.
    """
    folder.mkdir(parents=True, exist_ok=True)
    eagle = (tiny_sizes() if sizes is None else sizes)["eagle"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Sorted, because the order decides the ids.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        [SENTENCE], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    words: dict[str, int] = model["vocab"]
    # As many as said, whatever the sentence gave.
    words |= {f"<unused{index}>": index for index in range(len(words), 300)}
    written = {
        "vocab.json": words,
        "added_tokens.json": {word: 300 + index for index, word in enumerate(SPECIAL)},
        "special_tokens_map.json": {"eos_token": SPECIAL[2], "pad_token": SPECIAL[0]},
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer",
            "added_tokens_decoder": {str(300 + index): special(word) for index, word in enumerate(SPECIAL)},
            "additional_special_tokens": SPECIAL[1:],
            "eos_token": SPECIAL[2],
            "pad_token": SPECIAL[0],
            "model_max_length": 4096,
        },
        "chat_template.json": {"chat_template": TEMPLATE},
        "generation_config.json": {},
        **_described(eagle),
    }
    for name, fields in written.items():
        (folder / name).write_text(json.dumps(fields))
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))


def special(word: str) -> dict[str, Any]:
    """How a file says a word that is none of the text."""
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    return {"content": word, "special": True, **plain}


def _described(eagle: dict[str, Any]) -> dict[str, Any]:
    vision, text = eagle["vision"], eagle["text"]
    side = vision["image"] // vision["patch"]
    parts = side**2 // (4 if eagle["pixel_shuffle"] else 1)
    # Of published files; nobody here runs what they name.
    processor = {"AutoProcessor": "processing_eagle2_5_vl.Eagle25VLProcessor"}
    images = {"AutoImageProcessor": "image_processing_eagle2_5_vl_fast.Eagle25VLImageProcessorFast"}
    return {
        "config.json": {
            "model_type": "eagle_2_5_vl",
            "vision_config": {
                "model_type": "siglip_vision_model",
                "hidden_act": "gelu_pytorch_tanh",
                "hidden_size": vision["width"],
                "intermediate_size": vision["hidden"],
                "num_hidden_layers": vision["layers"],
                "num_attention_heads": vision["heads"],
                "image_size": vision["image"],
                "patch_size": vision["patch"],
            },
            "text_config": {
                "model_type": "qwen3",
                "architectures": ["Qwen3ForCausalLM"],
                "hidden_size": text["width"],
                "intermediate_size": text["hidden"],
                # More than are kept.
                "num_hidden_layers": text["layers"] + 1,
                "num_attention_heads": text["heads"],
                "num_key_value_heads": text["key_heads"],
                "head_dim": text["head_width"],
                "vocab_size": text["vocabulary"],
                "rope_theta": 1e6,
                "tie_word_embeddings": True,
            },
            "select_layer": -1,
            "image_token_index": eagle["image_token"],
            "use_pixel_shuffle": eagle["pixel_shuffle"],
            "mlp_connector_layers": eagle["connector_layers"],
            "downsample_ratio": 0.5,
        },
        "processor_config.json": {
            "auto_map": processor,
            "processor_class": "Eagle25VLProcessor",
            "image_token": SPECIAL[3],
            "image_start_token": SPECIAL[4],
            "image_end_token": SPECIAL[5],
            "tokens_per_tile": parts,
        },
        "preprocessor_config.json": {
            "auto_map": images,
            "image_processor_type": "Eagle25VLImageProcessorFast",
            "do_resize": False,
            "do_pad": False,
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "size": {"height": vision["image"], "width": vision["image"]},
        },
    }


def nvidia_config(sizes: dict[str, Any], states: int, actions: int) -> dict[str, Any]:
    """`config.json` of NVIDIA's layout."""
    eagle, head = sizes["eagle"], sizes["head"]
    width = eagle["text"]["width"]
    dit = head["dit"]

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
        "architectures": ["GR00T_N1_5"],
        "model_type": "gr00t_n1_5",
        "action_dim": actions,
        "action_horizon": head["horizon"],
        "compute_dtype": "float32",
        "backbone_cfg": {
            "select_layer": eagle["text"]["layers"],
            "project_to_dim": None,
            "reproject_vision": False,
        },
        "action_head_cfg": {
            "action_dim": actions,
            "action_horizon": head["horizon"],
            "max_state_dim": states,
            "hidden_size": head["hidden"],
            "input_embedding_dim": dit["heads"] * dit["head_width"],
            "backbone_embedding_dim": width,
            "max_seq_len": head["positions"],
            "max_num_embodiments": head.get("embodiments", 32),
            "num_target_vision_tokens": head["future_tokens"],
            "num_inference_timesteps": head.get("steps", 4),
            "diffusion_model_cfg": {
                **blocks(dit),
                "cross_attention_dim": width,
                "output_dim": head["hidden"],
                "interleave_self_attention": True,
                "norm_type": "ada_norm",
            },
            "vl_self_attention_cfg": blocks(head["reader"]),
        },
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
        "tokenizer_assets_repo": str(folder),
        **changes,
    }
