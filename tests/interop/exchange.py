"""What the tests of policies beside the peer share: cases in folders, the run of the peer, what is compared."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType

Tensors = dict[str, torch.Tensor]

PEER = "LEROBOT_PEER_PYTHON"


def part(tensors: Tensors, name: str) -> Tensors:
    """Those whose names begin so, without that beginning."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def statistics(tensors: Tensors) -> dict[str, Tensors]:
    """Statistics of a case, by feature."""
    stats: dict[str, Tensors] = {}
    for name, value in part(tensors, "stats").items():
        key, _, statistic = name.rpartition(".")
        stats.setdefault(key, {})[statistic] = value
    return stats


def drawn_statistics(config: PreTrainedConfig) -> Tensors:
    """Random extremes of every feature, and mean and deviation between them."""
    found: Tensors = {}
    for key, feature in {**config.input_features, **config.output_features}.items():
        size = (feature.shape[0], 1, 1) if feature.type is FeatureType.VISUAL else feature.shape
        low = torch.randn(size)
        high = low + 1 + torch.rand(size)
        each = {"min": low, "max": high, "mean": (low + high) / 2, "std": (high - low) / 3}
        found |= {f"stats.{key}.{name}": value for name, value in each.items()}
    return found


def run_peer(script: str, *arguments: str | Path, python: str = PEER, changes: Mapping[str, str] | None = None) -> None:
    """Run a script of this folder under the peer's interpreter; skip, saying so, where there is none.

    Args:
        script: name of the file.
        arguments: of the script.
        python: variable of the environment that names the interpreter.
        changes: of the script's environment.
    """
    if not (interpreter := os.environ.get(python)):
        pytest.skip(f"{python} does not name the interpreter of an environment with huggingface/lerobot")
    done = subprocess.run(
        [interpreter, Path(__file__).with_name(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | dict(changes or {}),
    )
    assert done.returncode == 0, done.stderr[-3000:]


def acted(pair: PolicyWithProcessors, tensors: Tensors, added: Mapping[str, Any] | None = None) -> torch.Tensor:
    """Act on the ticks of a case, and give every action.

    Args:
        pair: policy and processors.
        tensors: of the case.
        added: to every observation, such as the task.
    """
    pair.policy.eval()
    pair.policy.reset()
    ticks = part(tensors, "tick")
    actions = []
    for index in range(len(next(iter(ticks.values())))):
        observation = {key: each[index] for key, each in ticks.items()} | dict(added or {})
        action = pair.policy.select_action(pair.processors.preprocessor(observation))
        actions.append(pair.processors.postprocessor(action))
    return torch.stack(actions)


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest difference, in parts of the largest element where that is over 1."""
    ours, theirs = ours.double(), theirs.double()
    return float((ours - theirs).abs().max() / max(1.0, float(theirs.abs().max())))


def described(path: Path) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Names, shapes and types in a file of weights."""
    return {key: (each.shape, each.dtype) for key, each in load_file(path).items()}
