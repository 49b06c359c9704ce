"""Runs under the peer's interpreter: saves policies of its own, loads ours, and computes the same with both.

Usage: python peer_pi0.py FOLDER pi0|pi05. FOLDER/<i>/case.json and data.safetensors say what; see test_pi0.py.
"""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from lerobot.processor import tokenizer_processor
from peer_flow_vla import run_cases

# Later ones name parts of PaliGemma otherwise than published files do.
assert transformers.__version__.startswith(("5.4.", "5.5.")), f"transformers {transformers.__version__}, not 5.4 or 5.5"

root, name = Path(sys.argv[1]), sys.argv[2]
modeling = importlib.import_module(f"lerobot.policies.{name}.modeling_{name}")
configuration = importlib.import_module(f"lerobot.policies.{name}.configuration_{name}")
processor = importlib.import_module(f"lerobot.policies.{name}.processor_{name}")
vlm_class = modeling.PaliGemmaForConditionalGenerationWithPiGemma
expert_class = modeling.PiGemmaForCausalLM
config_class = getattr(configuration, f"{name.upper()}Config")
policy_class = getattr(modeling, f"{name.upper()}Policy")
networks: dict = {}


class Tokenizer:
    """The one in the folder, whatever repository is asked for."""

    @staticmethod
    def from_pretrained(name: str, **options: object) -> object:
        folder = root / "tokenizer" if "paligemma" in name else name
        return transformers.AutoTokenizer.from_pretrained(folder, **{"add_bos_token": True, **options})


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


def of_case(*, input_features: dict, **settings: object) -> object:
    """The next policy has the sizes of this case, which its configuration cannot say."""
    networks.update(settings.pop("networks"))
    return config_class(input_features=input_features, **settings)


def forward(policy: torch.nn.Module, batch: dict, data: dict) -> torch.Tensor:
    policy.model.sample_noise = lambda *_: data["noise"]
    policy.model.sample_time = lambda *_: data["time"]
    return policy.forward(batch)[0]


tokenizer_processor.AutoTokenizer = Tokenizer
modeling.get_gemma_config = gemma
modeling.PaliGemmaForConditionalGenerationWithPiGemma = vlm
modeling.PiGemmaForCausalLM = expert
small = ("paligemma", "action_expert", "text_tokenizer_name")
run_cases(root, policy_class, of_case, getattr(processor, f"make_{name}_pre_post_processors"), forward, small)
