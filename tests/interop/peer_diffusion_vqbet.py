"""Runs under the peer's interpreter: saves policies of its own, loads ours, and computes the same with both.

Usage: python peer_diffusion_vqbet.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see
test_diffusion_vqbet.py.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
from lerobot.policies.diffusion.processor_diffusion import make_diffusion_pre_post_processors
from lerobot.policies.vqbet.configuration_vqbet import VQBeTConfig
from lerobot.policies.vqbet.modeling_vqbet import VQBeTPolicy
from lerobot.policies.vqbet.processor_vqbet import make_vqbet_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from safetensors.torch import load_file, save_file

KINDS = {
    "diffusion": (DiffusionConfig, DiffusionPolicy, make_diffusion_pre_post_processors),
    "vqbet": (VQBeTConfig, VQBeTPolicy, make_vqbet_pre_post_processors),
}


def features(declared: dict) -> dict:
    return {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in declared.items()}


def randomise_buffers(policy) -> None:
    """Fresh statistics of batch normalisation would be those of the identity, and prove nothing."""
    for name, buffer in policy.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            buffer.uniform_(-0.1, 0.1)


def tick(data: dict, index: int) -> dict:
    return {key.removeprefix("tick."): value[index] for key, value in data.items() if key.startswith("tick.")}


def act(policy, pre, post, data: dict, ticks: int) -> torch.Tensor:
    policy.eval()
    policy.reset()
    torch.manual_seed(5)
    return torch.stack([post(policy.select_action(pre(tick(data, index)))) for index in range(ticks)])


def learned(policy, batch: dict) -> dict:
    """Loss, gradients and what changed while learning."""
    policy.train()
    policy.zero_grad()
    torch.manual_seed(7)
    loss, parts = policy.forward(batch)
    loss.backward()
    found = {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    found |= {f"buffer.{name}": buffer.clone() for name, buffer in policy.named_buffers()}
    found |= {f"part.{name}": torch.tensor(float(value)) for name, value in (parts or {}).items()}
    return {**found, "loss": loss.detach()}


def main(root: Path) -> None:
    warnings.filterwarnings("ignore")
    for folder in sorted(root.iterdir(), key=lambda each: int(each.name)):
        asked = json.loads((folder / "case.json").read_text())
        config_class, policy_class, make_processors = KINDS[asked["type"]]
        data = load_file(folder / "data.safetensors")
        stats: dict = {}
        for name, value in data.items():
            if name.startswith("stats."):
                key, _, statistic = name.removeprefix("stats.").rpartition(".")
                stats.setdefault(key, {})[statistic] = value
        config = config_class(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            pretrained_backbone_weights=None,
            push_to_hub=False,
            **{key: tuple(each) if isinstance(each, list) else each for key, each in asked["settings"].items()},
        )
        torch.manual_seed(asked["seed"])
        policy = policy_class(config)
        randomise_buffers(policy)
        pre, post = make_processors(config, dataset_stats=stats)
        batch = pre({key.removeprefix("batch."): value for key, value in data.items() if key.startswith("batch.")})
        theirs = folder / "theirs"
        policy.save_pretrained(theirs)
        pre.save_pretrained(theirs)
        post.save_pretrained(theirs)
        found = {f"processed.{key}": value for key, value in batch.items() if key.startswith(("observation", "action"))}
        for phase in range(asked["phases"]):
            found |= {f"{phase}.{key}": value for key, value in learned(policy, batch).items()}
        found["actions"] = act(policy, pre, post, data, asked["ticks"])
        save_file({key: value.contiguous() for key, value in found.items()}, folder / "theirs.safetensors")

        ours = folder / "ours"
        policy = policy_class.from_pretrained(ours, strict=True)
        pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json")
        post = PolicyProcessorPipeline.from_pretrained(
            ours,
            "policy_postprocessor.json",
            to_transition=policy_action_to_transition,
            to_output=transition_to_policy_action,
        )
        save_file({"actions": act(policy, pre, post, data, asked["ticks"])}, folder / "ours.safetensors")


main(Path(sys.argv[1]))
