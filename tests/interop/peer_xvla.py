"""Runs under the peer's interpreter: saves X-VLA policies of its own, loads ours, and computes the same with both.

Usage: python peer_xvla.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_xvla.py.
"""

import sys
from pathlib import Path

import torch
import transformers
from lerobot.configs import NormalizationMode
from lerobot.policies.xvla.configuration_xvla import XVLAConfig
from lerobot.policies.xvla.modeling_xvla import XVLAPolicy
from lerobot.policies.xvla.processor_xvla import make_xvla_pre_post_processors
from peer_flow_vla import copied, part, run_cases

# Those that this release of the peer is made for.
assert transformers.__version__.startswith(("5.4.", "5.5.")), f"transformers {transformers.__version__}, not 5.4 or 5.5"


def config(**settings: object) -> XVLAConfig:
    """Make a configuration of what JSON says."""
    size, modes = settings.pop("resize_imgs_with_padding"), settings.pop("normalization_mapping")
    return XVLAConfig(
        resize_imgs_with_padding=None if size is None else tuple(size),
        normalization_mapping={kind: NormalizationMode(mode) for kind, mode in modes.items()},
        **settings,
    )


def forward(policy: XVLAPolicy, batch: dict, data: dict) -> torch.Tensor:
    torch.manual_seed(int(data["seed"]))
    return policy.forward(copied(batch))[0]


def compute(policy, pre, data: dict, asked: dict, forward) -> dict:
    found = {}
    tick = pre({**part(data, "tick"), "task": asked["tasks"]})
    tick["domain_id"] = data["domain"]
    torch.manual_seed(int(data["seed"]))
    found["chunk"] = policy.predict_action_chunk(tick)
    batch = pre({**part(data, "batch"), "task": asked["tasks"]})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    batch["domain_id"] = data["domain"]
    policy.train()
    found["noisy_loss"] = forward(policy, batch, data).detach()
    policy.eval()
    loss = forward(policy, batch, data)
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = policy.config.get_optimizer_preset().build(policy.get_optim_params())
    losses = []
    for _ in range(3):
        loss = forward(policy, batch, data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return {key: value.contiguous() for key, value in found.items()}


run_cases(Path(sys.argv[1]), XVLAPolicy, config, make_xvla_pre_post_processors, forward, compute=compute)
