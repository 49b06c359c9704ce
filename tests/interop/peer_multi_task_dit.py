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
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from peer_flow_vla import copied, features, part, randomise
from safetensors.torch import load_file, save_file


def act(policy, pre, post, data: dict, tasks: list) -> torch.Tensor:
    policy.eval()
    policy.reset()
    torch.manual_seed(5)
    ticks = part(data, "tick")
    actions = []
    for tick in range(len(next(iter(ticks.values())))):
        observation = {key: value[tick] for key, value in ticks.items()}
        actions.append(post(policy.select_action(pre({**observation, "task": tasks}))))
    return torch.stack(actions)


def results(policy, pre, post, data: dict, tasks: list) -> dict:
    found = {"actions": act(policy, pre, post, data, tasks)}
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
    return {key: value.contiguous() for key, value in found.items()}


def main(root: Path) -> None:
    for folder in sorted((each for each in root.iterdir() if each.name.isdigit()), key=lambda each: int(each.name)):
        asked = json.loads((folder / "case.json").read_text())
        data = load_file(folder / "data.safetensors")
        stats: dict = {}
        for name, value in part(data, "stats").items():
            key, _, statistic = name.rpartition(".")
            stats.setdefault(key, {})[statistic] = value
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
        pre, post = make_multi_task_dit_pre_post_processors(config, dataset_stats=stats)
        theirs = folder / "theirs"
        policy.save_pretrained(theirs)
        pre.save_pretrained(theirs)
        post.save_pretrained(theirs)
        names = {id(each): name for name, each in policy.named_parameters()}
        groups = [[names[id(each)] for each in group["params"]] for group in policy.get_optim_params()]
        (folder / "groups.json").write_text(json.dumps(groups))
        save_file(results(policy, pre, post, data, asked["tasks"]), folder / "theirs.safetensors")

        ours = folder / "ours"
        policy = MultiTaskDiTPolicy.from_pretrained(ours, strict=True)
        # This release does not look for the tokenizer that lies beside the pipeline.
        own = {"tokenizer_processor": {"tokenizer_name": str(ours / "tokenizer")}}
        pre = PolicyProcessorPipeline.from_pretrained(ours, "policy_preprocessor.json", overrides=own)
        post = PolicyProcessorPipeline.from_pretrained(
            ours,
            "policy_postprocessor.json",
            to_transition=policy_action_to_transition,
            to_output=transition_to_policy_action,
        )
        save_file(results(policy, pre, post, data, asked["tasks"]), folder / "ours.safetensors")


main(Path(sys.argv[1]))
