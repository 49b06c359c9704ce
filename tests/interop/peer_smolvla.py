"""Runs under the peer's interpreter: saves SmolVLA policies of its own, loads ours, and computes the same with both.

Usage: python peer_smolvla.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_smolvla.py.
"""

import sys
from pathlib import Path

import torch
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
from peer_flow_vla import run_cases
from peer_small import prepare_smolvla


def forward(policy: SmolVLAPolicy, batch: dict, data: dict) -> torch.Tensor:
    return policy.forward(batch, noise=data["noise"], time=data["time"])[0]


prepare_smolvla()
run_cases(Path(sys.argv[1]), SmolVLAPolicy, SmolVLAConfig, make_smolvla_pre_post_processors, forward)
