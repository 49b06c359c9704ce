"""What the peer's scripts for policies share: it runs under the peer's interpreter."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from safetensors.torch import load_file, save_file


def features(declared: dict) -> dict:
    return {key: PolicyFeature(FeatureType(each["type"]), tuple(each["shape"])) for key, each in declared.items()}


def part(data: dict, name: str) -> dict:
    return {key.removeprefix(f"{name}."): value for key, value in data.items() if key.startswith(f"{name}.")}


def statistics(data: dict) -> dict:
    stats: dict = {}
    for name, value in part(data, "stats").items():
        key, _, statistic = name.rpartition(".")
        stats.setdefault(key, {})[statistic] = value
    return stats


def cases(root: Path) -> Iterator[tuple[Path, dict, dict]]:
    """Folder, question and data of every case."""
    for folder in sorted((each for each in root.iterdir() if each.name.isdigit()), key=lambda each: int(each.name)):
        yield folder, json.loads((folder / "case.json").read_text()), load_file(folder / "data.safetensors")


def save(folder: Path, policy, pre: PolicyProcessorPipeline, post: PolicyProcessorPipeline) -> None:
    """Save a policy of the peer's own with its processors."""
    for each in (policy, pre, post):
        each.save_pretrained(folder)


def load_pipelines(
    folder: Path, overrides: dict | None = None
) -> tuple[PolicyProcessorPipeline, PolicyProcessorPipeline]:
    """Load the processors of a checkpoint of ours."""
    pre = PolicyProcessorPipeline.from_pretrained(folder, "policy_preprocessor.json", overrides=overrides)
    post = PolicyProcessorPipeline.from_pretrained(
        folder,
        "policy_postprocessor.json",
        to_transition=policy_action_to_transition,
        to_output=transition_to_policy_action,
    )
    return pre, post


def own_tokenizer(folder: Path) -> dict:
    """This release does not look for the tokenizer that lies beside the pipeline."""
    return {"tokenizer_processor": {"tokenizer_name": str(folder / "tokenizer")}}


def acted(policy, pre, post, data: dict, added: dict | None = None) -> torch.Tensor:
    """Act on the ticks of a case, and give every action."""
    policy.eval()
    policy.reset()
    ticks = part(data, "tick")
    actions = []
    for index in range(len(next(iter(ticks.values())))):
        observation = {key: each[index] for key, each in ticks.items()}
        actions.append(post(policy.select_action(pre({**observation, **(added or {})}))))
    return torch.stack(actions)


def write(path: Path, found: dict) -> None:
    """Save what was computed."""
    save_file({key: value.contiguous() for key, value in found.items()}, path)
