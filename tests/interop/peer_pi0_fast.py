"""Runs under the peer's interpreter: saves Pi0-FAST of its own, loads ours, and computes the same with both.

Usage: python peer_pi0_fast.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_pi0_fast.py.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from lerobot.policies.pi0_fast import modeling_pi0_fast as modeling
from lerobot.policies.pi0_fast.configuration_pi0_fast import PI0FastConfig
from lerobot.policies.pi0_fast.processor_pi0_fast import make_pi0_fast_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline, tokenizer_processor
from peer_exchange import cases, features, load_pipelines, own_tokenizer, part, save, statistics, write
from peer_flow_vla import config_of, copied, randomise
from scipy.fft import dct

from lerobot.policies import pi_gemma

root = Path(sys.argv[1])
networks: dict = {}
vlm_class = modeling.PaliGemmaForConditionalGenerationWithPiGemma
SMALL = ("paligemma", "action_expert", "text_tokenizer_name", "action_tokenizer_name")


class Text:
    """The tokenizer in the folder, whatever repository is asked for."""

    @staticmethod
    def from_pretrained(_name: str, **options: object) -> object:
        return transformers.AutoTokenizer.from_pretrained(root / "tokenizer", **{"add_bos_token": True, **options})


class Codes:
    """What the program beside the published tokenizer of actions does, from its description."""

    def __init__(self) -> None:
        folder = root / "fast"
        settings = json.loads((folder / "processor_config.json").read_text())
        self.scale, self.min_token = settings["scale"], settings["min_token"]
        self.bpe_tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"), clean_up_tokenization_spaces=False
        )

    @classmethod
    def from_pretrained(cls, _name: str, **_options: object) -> "Codes":
        return cls()

    def __call__(self, chunks: torch.Tensor) -> list:
        coefficients = (dct(chunks.numpy(), axis=1, norm="ortho") * self.scale).round()
        texts = ["".join(chr(max(int(v) - self.min_token, 0)) for v in each.flatten()) for each in coefficients]
        return [self.bpe_tokenizer(text)["input_ids"] for text in texts]


class Tower(torch.nn.Module):
    """The level in the names of published weights that newer releases of transformers leave out."""

    def __init__(self, vision_model: torch.nn.Module) -> None:
        super().__init__()
        self.vision_model = vision_model

    def forward(self, *arguments: object, **options: object) -> object:
        return self.vision_model(*arguments, **options)


def gemma(_variant: str) -> SimpleNamespace:
    size = networks["paligemma"]["text"]
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
    # It stays that of the published size there, whatever the images are.
    vision.image_size = size["vision"]["image"]
    config.projection_dim = config.hidden_size = size["text"]["width"]
    config.text_config.vocab_size = size["text"]["vocabulary"]
    config.image_token_id = config.image_token_index = size["text"]["vocabulary"] - 1
    model = vlm_class(config)
    if not hasattr(model.model.vision_tower, "vision_model"):
        model.model.vision_tower = Tower(model.model.vision_tower)
    return model


causal_mask = pi_gemma.create_causal_mask


def mask_without_places(*arguments: object, cache_position: object = None, **options: object) -> object:
    """Releases of transformers that are newer than the peer's own find places by themselves."""
    return causal_mask(*arguments, **options)


pi_gemma.create_causal_mask = mask_without_places
for module in (tokenizer_processor, modeling):
    module.AutoTokenizer, module.AutoProcessor = Text, Codes
modeling.get_gemma_config = gemma
modeling.PaliGemmaForConditionalGenerationWithPiGemma = vlm


def results(policy: torch.nn.Module, pre: PolicyProcessorPipeline, data: dict, asked: dict) -> dict:
    found, said = {}, []
    for name in ("sample_actions_fast", "sample_actions_fast_kv_cache"):
        original = getattr(policy.model, name)
        setattr(policy.model, name, lambda *a, _original=original, **k: said.append(_original(*a, **k)) or said[-1])
    policy.predict_action_chunk(pre({**part(data, "tick"), "task": asked["tasks"]}))
    found["said"] = said[-1]
    batch = pre({**part(data, "batch"), "task": asked["tasks"]})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    found["heard"] = policy.detokenize_actions(batch["action.tokens"][:, 1:], 6, 4)
    policy.train()
    loss, _ = policy.forward(copied(batch))
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for _ in range(3):
        loss, _ = policy.forward(copied(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return found


for folder, asked, data in cases(root):
    chosen = dict(asked["settings"])
    networks.update(chosen.pop("networks"))
    inputs, outputs = features(asked["inputs"]), features(asked["outputs"])
    config = PI0FastConfig(input_features=inputs, output_features=outputs, device="cpu", push_to_hub=False, **chosen)
    torch.manual_seed(asked["seed"])
    policy = modeling.PI0FastPolicy(config)
    randomise(policy)
    pre, post = make_pi0_fast_pre_post_processors(config, dataset_stats=statistics(data))
    # This release has no setting of the policy for it.
    step = next(each for each in pre.steps if isinstance(each, tokenizer_processor.ActionTokenizerProcessorStep))
    step.fast_skip_tokens = config.fast_skip_tokens
    save(folder / "theirs", policy, pre, post)
    write(folder / "theirs.safetensors", results(policy, pre, data, asked))

    ours = folder / "ours"
    policy = modeling.PI0FastPolicy.from_pretrained(ours, config=config_of(ours, SMALL), strict=True)
    own = {
        **own_tokenizer(ours),
        "action_tokenizer_processor": {"action_tokenizer_name": "fast", "paligemma_tokenizer_name": "paligemma"},
    }
    pre, _ = load_pipelines(ours, own)
    write(folder / "ours.safetensors", results(policy, pre, data, asked))
