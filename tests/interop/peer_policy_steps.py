"""Runs under the peer's interpreter: computes the cases of test_policy_steps.py with its own steps.

Usage: python peer_policy_steps.py CASES.json; the answer is one JSON list on stdout.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
from lerobot.processor import (
    ProcessorStepRegistry,
    create_transition,
    hil_processor,  # noqa: F401 - registers its steps
    tokenizer_processor,  # noqa: F401 - registers its steps
)
from lerobot.processor.relative_action_processor import AbsoluteActionsProcessorStep, RelativeActionsProcessorStep

has_transformers = importlib.util.find_spec("transformers") is not None


def array(described: dict) -> object:
    values = np.array(described["values"], dtype=described["dtype"])
    return torch.from_numpy(values) if described["torch"] else values


def value(described: object) -> object:
    if isinstance(described, dict) and "values" in described:
        return array(described)
    return {key: value(each) for key, each in described.items()} if isinstance(described, dict) else described


def plain(found: object) -> object:
    if isinstance(found, torch.Tensor | np.ndarray):
        return {"shape": list(found.shape), "dtype": str(found.dtype), "values": found.tolist()}
    return {str(key): plain(each) for key, each in found.items()} if isinstance(found, dict) else found


def tenths(chunk: torch.Tensor) -> list:
    return [[round(10 * each) for each in chunk.flatten().tolist()]]


def run(case: dict) -> list | None:
    if "tokenizer" in case and not has_transformers:
        return None
    config = dict(case["config"])
    if case["name"] == "action_tokenizer_processor":
        config["action_tokenizer_input_object"] = tenths
    if "stats" in case:
        config["stats"] = {key: value(entry) for key, entry in case["stats"].items()}
    step = ProcessorStepRegistry.get(case["name"])(**config)
    steps = [step]
    if isinstance(step, RelativeActionsProcessorStep):
        steps.append(AbsoluteActionsProcessorStep(enabled=config["enabled"], relative_step=step))
    answers = []
    for call in case["calls"]:
        transition = create_transition(**value(call))
        for each in steps:
            transition = each(transition)
            answers.append({key: plain(transition[key]) for key in ("observation", "action", "complementary_data")})
    return answers


sys.stdout.write(json.dumps([run(case) for case in json.loads(Path(sys.argv[1]).read_text())]))
