"""Runs under the peer's interpreter: saves TD-MPC policies of its own, loads ours, and computes the same with both.

Usage: python peer_tdmpc.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_tdmpc.py.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.tdmpc.configuration_tdmpc import TDMPCConfig
from lerobot.policies.tdmpc.modeling_tdmpc import TDMPCPolicy
from lerobot.policies.tdmpc.processor_tdmpc import make_tdmpc_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from safetensors.torch import load_file, save_file


def features(declared: dict) -> dict:
    return {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in declared.items()}


def seed(number: int) -> None:
    torch.manual_seed(number)
    np.random.seed(number)


def randomise(policy) -> None:
    """Rewards and values begin at 0, and the slow copy as the other: that would prove nothing."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.3 * torch.randn_like(parameter)


def tick(data: dict, index: int) -> dict:
    return {key.removeprefix("tick."): value[index] for key, value in data.items() if key.startswith("tick.")}


def act(policy, pre, post, data: dict, ticks: int) -> torch.Tensor:
    policy.eval()
    policy.reset()
    seed(5)
    return torch.stack([post(policy.select_action(pre(tick(data, index)))) for index in range(ticks)])


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
    for folder in sorted(root.iterdir(), key=lambda each: int(each.name)):
        asked = json.loads((folder / "case.json").read_text())
        data = load_file(folder / "data.safetensors")
        stats: dict = {}
        for name, value in data.items():
            if name.startswith("stats."):
                key, _, statistic = name.removeprefix("stats.").rpartition(".")
                stats.setdefault(key, {})[statistic] = value
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
        pre, post = make_tdmpc_pre_post_processors(config, dataset_stats=stats)
        batch = pre({key.removeprefix("batch."): value for key, value in data.items() if key.startswith("batch.")})
        theirs = folder / "theirs"
        policy.save_pretrained(theirs)
        pre.save_pretrained(theirs)
        post.save_pretrained(theirs)
        found = {f"processed.{key}": value for key, value in batch.items() if isinstance(value, torch.Tensor)}
        found["actions"] = act(policy, pre, post, data, asked["ticks"])
        if asked["learns"]:
            found |= learned(policy, batch, asked["steps"])
        save_file({key: value.contiguous() for key, value in found.items()}, folder / "theirs.safetensors")

        ours = folder / "ours"
        policy = TDMPCPolicy.from_pretrained(ours, strict=True)
        pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json")
        post = PolicyProcessorPipeline.from_pretrained(
            ours,
            "policy_postprocessor.json",
            to_transition=policy_action_to_transition,
            to_output=transition_to_policy_action,
        )
        found = {"actions": act(policy, pre, post, data, asked["ticks"])}
        if asked["learns"]:
            found |= learned(
                policy, pre({k.removeprefix("batch."): v for k, v in data.items() if k.startswith("batch.")}), 1
            )
        save_file({key: value.contiguous() for key, value in found.items()}, folder / "ours.safetensors")


main(Path(sys.argv[1]))
