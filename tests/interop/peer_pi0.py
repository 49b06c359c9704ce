"""Runs under the peer's interpreter: saves policies of its own, loads ours, and computes the same with both.

Usage: python peer_pi0.py FOLDER pi0|pi05. FOLDER/<i>/case.json and data.safetensors say what; see test_pi0.py.
"""

import importlib
import sys
from pathlib import Path

import torch
import transformers
from lerobot.processor import tokenizer_processor
from peer_flow_vla import run_cases
from peer_small import prepare_pi

# Later ones name parts of PaliGemma otherwise than published files do.
assert transformers.__version__.startswith(("5.4.", "5.5.")), f"transformers {transformers.__version__}, not 5.4 or 5.5"

root, name = Path(sys.argv[1]), sys.argv[2]
networks: dict = {}
modeling = prepare_pi(name, networks)
configuration = importlib.import_module(f"lerobot.policies.{name}.configuration_{name}")
processor = importlib.import_module(f"lerobot.policies.{name}.processor_{name}")
config_class = getattr(configuration, f"{name.upper()}Config")
policy_class = getattr(modeling, f"{name.upper()}Policy")


class Tokenizer:
    """The one in the folder, whatever repository is asked for."""

    @staticmethod
    def from_pretrained(name: str, **options: object) -> object:
        folder = root / "tokenizer" if "paligemma" in name else name
        return transformers.AutoTokenizer.from_pretrained(folder, **{"add_bos_token": True, **options})


def of_case(*, input_features: dict, **settings: object) -> object:
    """The next policy has the sizes of this case, which its configuration cannot say."""
    networks.update(settings.pop("networks"))
    return config_class(input_features=input_features, **settings)


def forward(policy: torch.nn.Module, batch: dict, data: dict) -> torch.Tensor:
    policy.model.sample_noise = lambda *_: data["noise"]
    policy.model.sample_time = lambda *_: data["time"]
    return policy.forward(batch)[0]


tokenizer_processor.AutoTokenizer = Tokenizer
small = ("paligemma", "action_expert", "text_tokenizer_name")
run_cases(root, policy_class, of_case, getattr(processor, f"make_{name}_pre_post_processors"), forward, small)
