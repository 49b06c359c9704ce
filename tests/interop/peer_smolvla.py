"""Runs under the peer's interpreter: saves SmolVLA policies of its own, loads ours, and computes the same with both.

Usage: python peer_smolvla.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_smolvla.py.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from lerobot.policies.smolvla import smolvlm_with_expert
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from safetensors.torch import load_file, save_file
from transformers import DynamicCache


class Processor:
    """Its image processor needs packages of its own, and only two ids of it are used."""

    @staticmethod
    def from_pretrained(_name: str) -> SimpleNamespace:
        return SimpleNamespace(tokenizer=SimpleNamespace(fake_image_token_id=3, global_image_token_id=4))


def crop(cache: DynamicCache, length: int) -> None:
    """Keep the first tokens: releases of transformers that are newer than the peer's own refuse to be asked so."""
    for layer in cache.layers:
        layer.keys, layer.values = layer.keys[..., :length, :], layer.values[..., :length, :]


smolvlm_with_expert.AutoProcessor = Processor
DynamicCache.crop = crop


def features(declared: dict) -> dict:
    return {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in declared.items()}


def randomise(policy: SmolVLAPolicy) -> None:
    """Parameters that begin as zeros or ones would hide errors."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)


def part(data: dict, name: str) -> dict:
    return {key.removeprefix(f"{name}."): value for key, value in data.items() if key.startswith(f"{name}.")}


def results(policy: SmolVLAPolicy, pre: PolicyProcessorPipeline, data: dict, asked: dict) -> dict:
    found = {}
    observation = pre({**part(data, "tick"), "task": asked["tasks"]})
    policy.config.rtc_config = None
    found["chunk"] = policy.predict_action_chunk(dict(observation), noise=data["noise"])
    # In place, there: with `adapt_to_pi_aloha` it changes the batch.
    observation = pre({**part(data, "tick"), "task": asked["tasks"]})
    policy.config.rtc_config = RTCConfig(execution_horizon=3)
    policy.init_rtc_processor()
    found["continued"] = policy.predict_action_chunk(
        dict(observation), noise=data["noise"], prev_chunk_left_over=data["left"], inference_delay=1
    )
    batch = pre({**part(data, "batch"), "task": asked["tasks"]})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    policy.train()
    loss, _ = policy.forward(
        {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in batch.items()},
        noise=data["noise"],
        time=data["time"],
    )
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for _ in range(3):
        copied = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in batch.items()}
        loss, _ = policy.forward(copied, noise=data["noise"], time=data["time"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return {key: value.contiguous() for key, value in found.items()}


def main(root: Path) -> None:
    for folder in sorted((each for each in root.iterdir() if each.name.isdigit()), key=lambda each: int(each.name)):
        asked = json.loads((folder / "case.json").read_text())
        data = load_file(folder / "data.safetensors")
        stats: dict = {}
        for name, value in part(data, "stats").items():
            key, _, statistic = name.rpartition(".")
            stats.setdefault(key, {})[statistic] = value
        config = SmolVLAConfig(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            push_to_hub=False,
            **asked["settings"],
        )
        torch.manual_seed(asked["seed"])
        policy = SmolVLAPolicy(config)
        randomise(policy)
        pre, post = make_smolvla_pre_post_processors(config, dataset_stats=stats)
        theirs = folder / "theirs"
        policy.save_pretrained(theirs)
        pre.save_pretrained(theirs)
        post.save_pretrained(theirs)
        save_file(results(policy, pre, data, asked), folder / "theirs.safetensors")

        ours = folder / "ours"
        policy = SmolVLAPolicy.from_pretrained(ours, strict=True)
        # This release does not look for the tokenizer that lies beside the pipeline.
        own = {"tokenizer_processor": {"tokenizer_name": str(ours / "tokenizer")}}
        pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json", overrides=own)
        save_file(results(policy, pre, data, asked), folder / "ours.safetensors")


main(Path(sys.argv[1]))
