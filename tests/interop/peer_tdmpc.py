"""Runs under the peer's interpreter: saves TD-MPC policies of its own, loads ours, and computes the same with both.

Usage: python peer_tdmpc.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_tdmpc.py.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from lerobot.policies.tdmpc.configuration_tdmpc import TDMPCConfig
from lerobot.policies.tdmpc.modeling_tdmpc import TDMPCPolicy
from lerobot.policies.tdmpc.processor_tdmpc import make_tdmpc_pre_post_processors
from peer_exchange import acted, cases, features, load_pipelines, part, save, statistics, write


def seed(number: int) -> None:
    torch.manual_seed(number)
    np.random.seed(number)


def randomise(policy) -> None:
    """Rewards and values begin at 0, and the slow copy as the other: that would prove nothing."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.3 * torch.randn_like(parameter)


def learned(policy, batch: dict, steps: int) -> dict:
    """Loss, its parts and gradients of the first step, and all weights after a few."""
    policy.train()
    optimizer = torch.optim.Adam(policy.get_optim_params(), lr=1e-3)
    seed(7)
    found = {}
    for step in range(steps):
        optimizer.zero_grad()
        loss, parts = policy.forward(batch)
        loss.backward()
        if step == 0:
            found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
            found |= {f"part.{name}": torch.as_tensor(value).float().mean() for name, value in parts.items()}
        found[f"loss.{step}"] = loss.detach()
        optimizer.step()
        policy.update()
    return {**found, **{f"weight.{name}": value.clone() for name, value in policy.state_dict().items()}}


def main(root: Path) -> None:
    warnings.filterwarnings("ignore")
    for folder, asked, data in cases(root):
        config = TDMPCConfig(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            push_to_hub=False,
            **asked["settings"],
        )
        torch.manual_seed(asked["seed"])
        policy = TDMPCPolicy(config)
        randomise(policy)
        pre, post = make_tdmpc_pre_post_processors(config, dataset_stats=statistics(data))
        batch = pre(part(data, "batch"))
        save(folder / "theirs", policy, pre, post)
        found = {f"processed.{key}": value for key, value in batch.items() if isinstance(value, torch.Tensor)}
        seed(5)
        found["actions"] = acted(policy, pre, post, data)
        if asked["learns"]:
            found |= learned(policy, batch, asked["steps"])
        write(folder / "theirs.safetensors", found)

        ours = folder / "ours"
        policy = TDMPCPolicy.from_pretrained(ours, strict=True)
        pre, post = load_pipelines(ours)
        seed(5)
        found = {"actions": acted(policy, pre, post, data)}
        if asked["learns"]:
            found |= learned(policy, pre(part(data, "batch")), 1)
        write(folder / "ours.safetensors", found)


main(Path(sys.argv[1]))
