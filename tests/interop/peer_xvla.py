"""Runs under the peer's interpreter: saves X-VLA policies of its own, loads ours, and computes the same with both.

Usage: python peer_xvla.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_xvla.py.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
import transformers
from lerobot.configs import NormalizationMode
from lerobot.policies.xvla.configuration_xvla import XVLAConfig
from lerobot.policies.xvla.modeling_xvla import XVLAPolicy
from lerobot.policies.xvla.processor_xvla import make_xvla_pre_post_processors
from peer_exchange import part
from peer_flow_vla import copied, run_cases

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


@contextmanager
def drawn(policy: XVLAPolicy, data: dict) -> Iterator[None]:
    """Draw from the case's seed; in bfloat16, which releases of torch draw differently, take the case's numbers."""
    torch.manual_seed(int(data["seed"]))
    if policy.config.dtype == "float32":
        yield
        return
    with (
        patch.object(torch, "rand", lambda *_, dtype=None, **__: data["first"].to(dtype)),
        patch.object(torch, "randn", lambda *_, dtype=None, **__: data["noise"].to(dtype)),
        patch.object(torch, "randn_like", lambda action: data["noise"].to(action.dtype)),
    ):
        yield


def forward(policy: XVLAPolicy, batch: dict, data: dict) -> torch.Tensor:
    with drawn(policy, data):
        return policy.forward(copied(batch))[0]


def compute(policy, pre, data: dict, asked: dict, forward) -> dict:
    found = {}
    tick = pre({**part(data, "tick"), "task": asked["tasks"]})
    tick["domain_id"] = data["domain"]
    with drawn(policy, data):
        found["chunk"] = policy.predict_action_chunk(tick)
    batch = pre({**part(data, "batch"), "task": asked["tasks"]})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    batch["domain_id"] = data["domain"]
    if policy.config.dtype == "float32":
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
    return found


run_cases(Path(sys.argv[1]), XVLAPolicy, config, make_xvla_pre_post_processors, forward, compute=compute)
