"""Runs under the peer's interpreter: saves SmolVLA policies of its own, loads ours, and computes the same with both.

Usage: python peer_smolvla.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_smolvla.py.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from lerobot.policies.smolvla import smolvlm_with_expert
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
from peer_flow_vla import run_cases
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


def forward(policy: SmolVLAPolicy, batch: dict, data: dict) -> torch.Tensor:
    return policy.forward(batch, noise=data["noise"], time=data["time"])[0]


run_cases(Path(sys.argv[1]), SmolVLAPolicy, SmolVLAConfig, make_smolvla_pre_post_processors, forward)
