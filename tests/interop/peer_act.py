"""Runs under the peer's interpreter: saves ACT policies of its own, loads ours, and computes the same with both.

Usage: python peer_act.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_act.py.
"""

import json
import sys
from pathlib import Path

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.act.processor_act import make_act_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from safetensors.torch import load_file, save_file


def features(declared: dict) -> dict:
    return {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in declared.items()}


def randomise_buffers(policy: ACTPolicy) -> None:
    """Frozen batch normalisation would otherwise be the identity, and prove nothing."""
    for name, buffer in policy.named_buffers():
        if "backbone" in name:
            # Small scales keep the features of random convolutions from growing with every block.
            ranges = {"running_var": (0.5, 1.5), "weight": (0.1, 0.5)}
            low, high = ranges.get(name.rpartition(".")[2], (-0.1, 0.1))
            buffer.uniform_(low, high)


def tick(data: dict, index: int) -> dict:
    return {key.removeprefix("tick."): value[index] for key, value in data.items() if key.startswith("tick.")}


def act(policy, pre, post, data: dict, ticks: int) -> torch.Tensor:
    policy.eval()
    policy.reset()
    return torch.stack([post(policy.select_action(pre(tick(data, index)))) for index in range(ticks)])


def learn(policy, batch: dict, steps: int) -> torch.Tensor:
    policy.train()
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    torch.manual_seed(11)
    losses = []
    for _ in range(steps):
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def results(policy, pre, post, data: dict, asked: dict) -> dict:
    batch = pre({key.removeprefix("batch."): value for key, value in data.items() if key.startswith("batch.")})
    policy.train()
    torch.manual_seed(7)
    loss, _ = policy.forward(batch)
    loss.backward()
    found = {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    found["train_loss"] = loss.detach()
    found |= {f"processed.{key}": value for key, value in batch.items() if key.startswith(("observation", "action"))}
    policy.eval()
    with torch.no_grad():
        found["eval_loss"] = policy.forward(batch)[0]
    found["actions"] = act(policy, pre, post, data, asked["ticks"])
    if asked["steps"]:
        found["curve"] = learn(policy, batch, asked["steps"])
    return found


def main(root: Path) -> None:
    for folder in sorted(root.iterdir(), key=lambda each: int(each.name)):
        asked = json.loads((folder / "case.json").read_text())
        data = load_file(folder / "data.safetensors")
        stats: dict = {}
        for name, value in data.items():
            if name.startswith("stats."):
                key, _, statistic = name.removeprefix("stats.").rpartition(".")
                stats.setdefault(key, {})[statistic] = value
        config = ACTConfig(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            pretrained_backbone_weights=None,
            push_to_hub=False,
            **asked["settings"],
        )
        torch.manual_seed(asked["seed"])
        policy = ACTPolicy(config)
        randomise_buffers(policy)
        pre, post = make_act_pre_post_processors(config, dataset_stats=stats)
        theirs = folder / "theirs"
        policy.save_pretrained(theirs)
        pre.save_pretrained(theirs)
        post.save_pretrained(theirs)
        save_file(results(policy, pre, post, data, asked), folder / "theirs.safetensors")

        ours = folder / "ours"
        policy = ACTPolicy.from_pretrained(ours, strict=True)
        pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json")
        post = PolicyProcessorPipeline.from_pretrained(
            ours,
            "policy_postprocessor.json",
            to_transition=policy_action_to_transition,
            to_output=transition_to_policy_action,
        )
        save_file({"actions": act(policy, pre, post, data, asked["ticks"])}, folder / "ours.safetensors")


main(Path(sys.argv[1]))
