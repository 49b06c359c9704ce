"""The peer's vision-language-action models in small sizes, which its configurations cannot say: runs there."""

import importlib
from types import ModuleType, SimpleNamespace

import torch
from transformers import DynamicCache


class Processor:
    """Of SmolVLM: its image processor needs packages of its own, and only two ids of it are used."""

    @staticmethod
    def from_pretrained(_name: str) -> SimpleNamespace:
        return SimpleNamespace(tokenizer=SimpleNamespace(fake_image_token_id=3, global_image_token_id=4))


def crop(cache: DynamicCache, length: int) -> None:
    """Keep the first tokens: releases of transformers that are newer than the peer's own refuse to be asked so."""
    for layer in cache.layers:
        layer.keys, layer.values = layer.keys[..., :length, :], layer.values[..., :length, :]


def prepare_smolvla() -> None:
    """Let SmolVLA be built from a folder with the `config.json` of a vision-language model alone."""
    importlib.import_module("lerobot.policies.smolvla.smolvlm_with_expert").AutoProcessor = Processor
    DynamicCache.crop = crop


def prepare_pi(name: str, networks: dict) -> ModuleType:
    """Let the next policies `pi0` or `pi05` have the sizes that `networks` says when they are built.

    Returns:
        The module of the policy.
    """
    modeling = importlib.import_module(f"lerobot.policies.{name}.modeling_{name}")
    vlm_class, expert_class = modeling.PaliGemmaForConditionalGenerationWithPiGemma, modeling.PiGemmaForCausalLM

    def gemma(variant: str) -> SimpleNamespace:
        """Sizes of the case, under the names of the published ones."""
        size = networks["paligemma"]["text"] if variant == "gemma_2b" else networks["action_expert"]
        return SimpleNamespace(
            width=size["width"],
            depth=size["layers"],
            mlp_dim=size["hidden"],
            num_heads=size["heads"],
            num_kv_heads=size["key_heads"],
            head_dim=size["head_width"],
        )

    def vlm(config: object) -> torch.nn.Module:
        """Sizes that it has as numbers in its code become those of the case."""
        size = networks["paligemma"]
        vision = config.vision_config
        vision.hidden_size, vision.intermediate_size = size["vision"]["width"], size["vision"]["hidden"]
        vision.num_hidden_layers, vision.num_attention_heads = size["vision"]["layers"], size["vision"]["heads"]
        vision.patch_size, vision.projection_dim = size["vision"]["patch"], size["text"]["width"]
        config.projection_dim = config.hidden_size = size["text"]["width"]
        config.text_config.vocab_size = size["text"]["vocabulary"]
        config.image_token_id = config.image_token_index = size["text"]["vocabulary"] - 1
        return vlm_class(config)

    def expert(config: object) -> torch.nn.Module:
        config.vocab_size = networks["paligemma"]["text"]["vocabulary"]
        return expert_class(config)

    modeling.get_gemma_config = gemma
    modeling.PaliGemmaForConditionalGenerationWithPiGemma = vlm
    modeling.PiGemmaForCausalLM = expert
    return modeling
