"""Runs under the interpreter of huggingface/lerobot 0.4.4: saves policies of its own, loads ours, computes the same.

Usage: python peer_groot_n15.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_groot_n15.py.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.groot import groot_n1
from lerobot.policies.groot.configuration_groot import GrootConfig
from lerobot.policies.groot.eagle2_hg_model.configuration_eagle2_5_vl import Eagle25VLConfig
from lerobot.policies.groot.eagle2_hg_model.modeling_eagle2_5_vl import Eagle25VLForConditionalGeneration
from lerobot.policies.groot.modeling_groot import GrootPolicy
from lerobot.policies.groot.processor_groot import make_groot_pre_post_processors
from lerobot.policies.groot.utils import ensure_eagle_cache_ready
from lerobot.processor import PolicyProcessorPipeline
from safetensors.torch import load_file, save_file
from transformers import Qwen3ForCausalLM, SiglipVisionModel

root = Path(sys.argv[1])
assets: Path = root
"""Files of Eagle of the case at hand."""


def eagle(config: Eagle25VLConfig, **_: object) -> torch.nn.Module:
    """Its own constructor insists on flash attention, which no CPU has."""
    for each in (config, config.vision_config, config.text_config):
        each._attn_implementation = "sdpa"
    return Eagle25VLForConditionalGeneration(
        config, SiglipVisionModel(config.vision_config), Qwen3ForCausalLM(config.text_config)
    )


def eagle_config(*_: object, **__: object) -> Eagle25VLConfig:
    return Eagle25VLConfig(**json.loads((assets / "config.json").read_text()))


groot_n1.AutoConfig = SimpleNamespace(from_pretrained=eagle_config)
groot_n1.AutoModel = SimpleNamespace(from_config=eagle)
# Nothing is fetched: the files are those of the case.
groot_n1.ensure_eagle_cache_ready = lambda *_: None


def randomise(module: torch.nn.Module) -> None:
    """Parameters that begin as zeros or ones would hide errors."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)


def part(data: dict, name: str) -> dict:
    return {key.removeprefix(f"{name}."): value for key, value in data.items() if key.startswith(f"{name}.")}


def tensors(batch: dict) -> dict:
    return {key: value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}


def results(policy: GrootPolicy, pre: PolicyProcessorPipeline, post: PolicyProcessorPipeline, asked: dict) -> dict:
    data = asked["data"]
    observation = pre({**part(data, "tick"), "task": asked["task"]})
    model = policy._groot_model
    policy.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=policy.config.use_bf16):
        seen = model.backbone(model.prepare_input(tensors(observation))[0])["backbone_features"]
    torch.manual_seed(7)
    chunk = policy.predict_action_chunk(dict(observation))
    # A chunk as a whole would be reduced to its last step.
    done = torch.stack([post(chunk[:, step]) for step in range(chunk.shape[1])], dim=1)
    found = {"seen": seen, "chunk": chunk, "done": done}
    batch = pre({**part(data, "batch"), "task": asked["task"]})
    found |= {f"processed.{key}": value for key, value in tensors(batch).items()}
    policy.train()
    torch.manual_seed(8)
    loss, _ = policy.forward(batch)
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for step in range(3):
        torch.manual_seed(step)
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return {key: value.contiguous().clone() for key, value in found.items()}


def write_base(folder: Path) -> None:
    """A model of NVIDIA's layout, in several files."""
    fields = json.loads((folder / "config.json").read_text())
    model = groot_n1.GR00TN15(groot_n1.GR00TN15Config(**fields), local_model_path=str(folder))
    randomise(model)
    model.save_pretrained(folder, max_shard_size="200KB")


def run_case(folder: Path) -> None:
    global assets
    assets = folder / "assets"
    vendor = Path(groot_n1.__file__).parent / "eagle2_hg_model"
    ensure_eagle_cache_ready(vendor, assets, "none")
    asked = json.loads((folder / "case.json").read_text())
    data = asked["data"] = load_file(folder / "data.safetensors")
    stats: dict = {}
    for name, value in part(data, "stats").items():
        key, _, statistic = name.rpartition(".")
        stats.setdefault(key, {})[statistic] = value
    torch.manual_seed(asked["seed"])
    write_base(folder / "base")
    features = {
        side: {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in asked[side].items()}
        for side in ("input_features", "output_features")
    }
    config = GrootConfig(device="cpu", push_to_hub=False, **features, **asked["settings"])
    policy = GrootPolicy(config)
    save_file(tensors(policy.state_dict()), folder / "based.safetensors")
    randomise(policy)
    pre, post = make_groot_pre_post_processors(config, stats)
    theirs = folder / "theirs"
    for each in (policy, pre, post):
        each.save_pretrained(theirs)
    save_file(results(policy, pre, post, asked), folder / "theirs.safetensors")

    ours = folder / "ours"
    policy = GrootPolicy.from_pretrained(ours, config=PreTrainedConfig.from_pretrained(ours), strict=True)
    # This release does not look for files that lie beside the pipeline.
    own = {f"groot_eagle_{step}_v3": {"tokenizer_assets_repo": str(assets)} for step in ("encode", "collate")}
    pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json", overrides=own)
    converters = {"to_transition": post.to_transition, "to_output": post.to_output}
    post = PolicyProcessorPipeline.from_pretrained(ours, "policy_postprocessor.json", **converters)
    save_file(results(policy, pre, post, asked), folder / "ours.safetensors")


for number in sorted(int(each.name) for each in root.iterdir() if each.name.isdigit()):
    run_case(root / str(number))
