"""Runs under the peer's interpreter: saves ACT policies of its own, loads ours, and computes the same with both.

Usage: python peer_act.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see test_act.py.
"""

import sys
from pathlib import Path

import torch
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.act.processor_act import make_act_pre_post_processors
from peer_exchange import acted, cases, features, load_pipelines, part, save, statistics, write


def randomise_buffers(policy: ACTPolicy) -> None:
    """Frozen batch normalisation would otherwise be the identity, and prove nothing."""
    for name, buffer in policy.named_buffers():
        if "backbone" in name:
            # Small scales keep the features of random convolutions from growing with every block.
            ranges = {"running_var": (0.5, 1.5), "weight": (0.1, 0.5)}
            low, high = ranges.get(name.rpartition(".")[2], (-0.1, 0.1))
            buffer.uniform_(low, high)


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
    batch = pre(part(data, "batch"))
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
    found["actions"] = acted(policy, pre, post, data)
    if asked["steps"]:
        found["curve"] = learn(policy, batch, asked["steps"])
    return found


def main(root: Path) -> None:
    for folder, asked, data in cases(root):
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
        pre, post = make_act_pre_post_processors(config, dataset_stats=statistics(data))
        save(folder / "theirs", policy, pre, post)
        write(folder / "theirs.safetensors", results(policy, pre, post, data, asked))

        ours = folder / "ours"
        policy = ACTPolicy.from_pretrained(ours, strict=True)
        pre, post = load_pipelines(ours)
        write(folder / "ours.safetensors", {"actions": acted(policy, pre, post, data)})


main(Path(sys.argv[1]))
