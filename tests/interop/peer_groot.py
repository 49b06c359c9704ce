"""Runs under the peer's interpreter: saves GR00T N1.7 policies of its own, loads ours, and computes the same.

Usage: python peer_groot.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_groot.py.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from lerobot.policies.groot import groot_n1_7, processor_groot
from lerobot.policies.groot.configuration_groot import GrootConfig
from lerobot.policies.groot.modeling_groot import GrootPolicy
from peer_exchange import cases, features, part, save, statistics, write

# Nothing is fetched: the files are those of the case.
groot_n1_7.snapshot_download = lambda path, **_: path
# Numbers that ours draws from torch.
processor_groot.random = SimpleNamespace(random=lambda: float(torch.rand(1)))


def randomise(module: torch.nn.Module) -> None:
    """Parameters that begin as zeros or ones would hide errors."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)


def tensors(batch: dict) -> dict:
    return {key: value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}


def results(policy: GrootPolicy, pre, post, asked: dict, data: dict) -> dict:
    task = {"task": asked["task"]}
    with torch.no_grad():
        observation = pre({**part(data, "tick"), **task})
    found = {f"seen.{key}": value for key, value in tensors(observation).items()}
    policy.eval()
    model = policy._groot_model
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=policy.config.use_bf16):
        found["features"] = model.backbone(model.prepare_input(tensors(observation))[0])["backbone_features"]
    torch.manual_seed(7)
    chunk = policy.predict_action_chunk(dict(observation))
    found |= {"chunk": chunk, "done": post(chunk)}
    torch.manual_seed(9)
    left = {"inference_delay": asked["delay"], "prev_chunk_left_over": data["left"]}
    found["continued"] = policy.predict_action_chunk(dict(observation), **left)
    torch.manual_seed(8)
    batch = pre({**part(data, "batch"), **task, "action_is_pad": data["is_pad"].bool()})
    found |= {f"processed.{key}": value for key, value in tensors(batch).items()}
    policy.train()
    torch.manual_seed(8)
    loss, _ = policy.forward(batch)
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.AdamW(policy.get_optim_params(), lr=1e-3, weight_decay=0.1)
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


def run_case(folder: Path, asked: dict, data: dict) -> None:
    torch.manual_seed(asked["seed"])
    base, assets = folder / "base", folder / "assets"
    processor_groot.GROOT_N1_7_BACKBONE_MODEL = str(assets)
    fields = json.loads((base / "config.json").read_text())
    raw = groot_n1_7.GR00TN17(groot_n1_7.GR00TN17Config(**fields), load_backbone_weights=False)
    randomise(raw)
    raw.save_pretrained(base, max_shard_size="200KB")
    shapes = {side: features(asked[side]) for side in ("input_features", "output_features")}

    def configuration() -> GrootConfig:
        return GrootConfig(device="cpu", push_to_hub=False, **shapes, **asked["settings"])

    policy = GrootPolicy(configuration())
    write(folder / "based.safetensors", tensors(policy.state_dict()))
    randomise(policy)
    pre, post = processor_groot.make_groot_pre_post_processors(policy.config, statistics(data))
    processor_groot._set_groot_preprocessor_training(pre, training=True)
    save(folder / "theirs", policy, pre, post)
    write(folder / "theirs.safetensors", results(policy, pre, post, asked, data))

    # Two fields of ours are none there: sizes, and where the tokenizer is.
    policy = GrootPolicy.from_pretrained(folder / "ours", config=configuration(), strict=True)
    pre, post = processor_groot.make_groot_pre_post_processors_from_pretrained(
        policy.config,
        str(folder / "ours"),
        preprocessor_overrides={"groot_n1_7_vlm_encode_v1": {"model_name": str(assets)}},
    )
    processor_groot._set_groot_preprocessor_training(pre, training=True)
    write(folder / "ours.safetensors", results(policy, pre, post, asked, data))


for folder, asked, data in cases(Path(sys.argv[1])):
    run_case(folder, asked, data)
