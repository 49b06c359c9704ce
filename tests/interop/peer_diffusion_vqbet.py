"""Runs under the peer's interpreter: saves policies of its own, loads ours, and computes the same with both.

Usage: python peer_diffusion_vqbet.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see
test_diffusion_vqbet.py.
"""

import sys
import warnings
from pathlib import Path

import torch
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
from lerobot.policies.diffusion.processor_diffusion import make_diffusion_pre_post_processors
from lerobot.policies.vqbet.configuration_vqbet import VQBeTConfig
from lerobot.policies.vqbet.modeling_vqbet import VQBeTPolicy
from lerobot.policies.vqbet.processor_vqbet import make_vqbet_pre_post_processors
from peer_exchange import acted, cases, features, load_pipelines, part, save, statistics, write

KINDS = {
    "diffusion": (DiffusionConfig, DiffusionPolicy, make_diffusion_pre_post_processors),
    "vqbet": (VQBeTConfig, VQBeTPolicy, make_vqbet_pre_post_processors),
}


def randomise_buffers(policy) -> None:
    """Fresh statistics of batch normalisation would be those of the identity, and prove nothing."""
    for name, buffer in policy.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            buffer.uniform_(-0.1, 0.1)


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
    for folder, asked, data in cases(root):
        config_class, policy_class, make_processors = KINDS[asked["type"]]
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
        pre, post = make_processors(config, dataset_stats=statistics(data))
        batch = pre(part(data, "batch"))
        save(folder / "theirs", policy, pre, post)
        found = {f"processed.{key}": value for key, value in batch.items() if key.startswith(("observation", "action"))}
        for phase in range(asked["phases"]):
            found |= {f"{phase}.{key}": value for key, value in learned(policy, batch).items()}
        torch.manual_seed(5)
        found["actions"] = acted(policy, pre, post, data)
        write(folder / "theirs.safetensors", found)

        ours = folder / "ours"
        policy = policy_class.from_pretrained(ours, strict=True)
        pre, post = load_pipelines(ours)
        torch.manual_seed(5)
        write(folder / "ours.safetensors", {"actions": acted(policy, pre, post, data)})


main(Path(sys.argv[1]))
