"""Runs under the peer's interpreter: saves policies of its own, loads ours, and computes the same with both.

Usage: python peer_multi_task_dit.py FOLDER. FOLDER/<i>/case.json and data.safetensors say what; see
test_multi_task_dit.py.
"""

import json
import sys
from pathlib import Path

import torch
from lerobot.policies.multi_task_dit.configuration_multi_task_dit import MultiTaskDiTConfig
from lerobot.policies.multi_task_dit.modeling_multi_task_dit import MultiTaskDiTPolicy
from lerobot.policies.multi_task_dit.processor_multi_task_dit import make_multi_task_dit_pre_post_processors
from peer_exchange import acted, cases, features, load_pipelines, own_tokenizer, part, save, statistics, write
from peer_flow_vla import copied, randomise


def results(policy, pre, post, data: dict, tasks: list) -> dict:
    torch.manual_seed(5)
    found = {"actions": acted(policy, pre, post, data, {"task": tasks})}
    batch = pre({**part(data, "batch"), "task": tasks})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    policy.train()
    torch.manual_seed(7)
    loss, _ = policy.forward(copied(batch))
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.Adam(policy.get_optim_params(), lr=1e-4, betas=(0.95, 0.999))
    losses = []
    for _ in range(3):
        loss, _ = policy.forward(copied(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return found


def main(root: Path) -> None:
    for folder, asked, data in cases(root):
        config = MultiTaskDiTConfig(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            push_to_hub=False,
            **{key: tuple(each) if isinstance(each, list) else each for key, each in asked["settings"].items()},
        )
        torch.manual_seed(asked["seed"])
        policy = MultiTaskDiTPolicy(config)
        randomise(policy)
        pre, post = make_multi_task_dit_pre_post_processors(config, dataset_stats=statistics(data))
        save(folder / "theirs", policy, pre, post)
        names = {id(each): name for name, each in policy.named_parameters()}
        groups = [[names[id(each)] for each in group["params"]] for group in policy.get_optim_params()]
        (folder / "groups.json").write_text(json.dumps(groups))
        write(folder / "theirs.safetensors", results(policy, pre, post, data, asked["tasks"]))

        ours = folder / "ours"
        policy = MultiTaskDiTPolicy.from_pretrained(ours, strict=True)
        pre, post = load_pipelines(ours, own_tokenizer(ours))
        write(folder / "ours.safetensors", results(policy, pre, post, data, asked["tasks"]))


main(Path(sys.argv[1]))
