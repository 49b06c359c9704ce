"""What the tests of vision-language-action models beside the peer share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from exchange import Tensors, part, statistics
from safetensors.torch import load_file, save_file

from lerobot.core.config.rtc import RTCConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import load_processors, make_processors
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.vla.config import VLAConfig
from lerobot.policies.vla.flow import FlowVLAPolicy

TASKS = ["pick up the red cube", "put it into the bin\n", "öffne die Schublade, then wait"]


def write_case(folder: Path, index: int, config: VLAConfig, tensors: Tensors, settings: dict[str, Any]) -> None:
    """Save a policy of ours with random weights, and what the peer is asked for.

    Args:
        folder: made.
        index: of the case.
        config: of our policy.
        tensors: statistics, batches, noise and times.
        settings: of the peer's configuration, besides the features.
    """
    torch.manual_seed(100 + index)
    policy = config.build()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    PolicyWithProcessors(policy, make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "inputs": {key: each for key, each in dumped["input_features"].items() if "empty_camera" not in key},
        "outputs": dumped["output_features"],
        "settings": settings,
        "seed": index,
        "tasks": TASKS,
    }
    (folder / "case.json").write_text(json.dumps(case))


def loaded(folder: Path, saved_by: str, small: Sequence[str]) -> PolicyWithProcessors:
    """Load a policy of a case; see `differences`."""
    checkpoint, own = Checkpoint.at(folder / saved_by), Checkpoint.at(folder / "ours").config()
    config = checkpoint.config().model_copy(update={name: getattr(own, name) for name in small})
    policy = PreTrainedPolicy.from_pretrained(folder / saved_by, config=config)
    # This release does not save the tokenizer.
    tokenizer = {"tokenizer_processor": {"tokenizer_name": str(folder / "ours/tokenizer")}}
    return PolicyWithProcessors(policy, load_processors(config, checkpoint, overrides=tokenizer))


def differences(folder: Path, saved_by: str, tolerance: float, small: Sequence[str] = ()) -> list[str]:
    """What a policy does otherwise than the peer does with the same weights, each with its difference.

    Args:
        folder: of the case.
        saved_by: "ours" or "theirs".
        tolerance: of the largest element.
        small: fields that only small models have; the peer's files lack them.
    """
    pair = loaded(folder, saved_by, small)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / f"{saved_by}.safetensors")
    wrong = []

    def compare(name: str, ours: torch.Tensor) -> None:
        expected = theirs[name].double()
        error = (ours.detach().double() - expected).abs().max() / max(1.0, float(expected.abs().max()))
        if not error <= tolerance:
            wrong.append(f"{name} {error:.2e}")

    policy, preprocessor = pair.policy, pair.processors.preprocessor
    assert isinstance(policy, FlowVLAPolicy)
    tick = preprocessor({**part(tensors, "tick"), "task": TASKS})
    compare("chunk", policy.predict_action_chunk(tick, noise=tensors["noise"]))
    going_on = Continuation(tensors["left"], 1, RTCConfig(execution_horizon=3, use_jacobian=False))
    compare("continued", policy.continue_action_chunk(tick, going_on, noise=tensors["noise"]))
    batch = preprocessor({**part(tensors, "batch"), "task": TASKS})
    for key, expected in part(theirs, "processed").items():
        if "language" in key:
            assert torch.equal(batch[key], expected), key
        else:
            compare(f"processed.{key}", batch[key])
    policy.train()
    explicit = {"noise": tensors["noise"], "time": tensors["time"]}
    loss, _ = policy.forward(batch, **explicit)
    loss.backward()
    compare("loss", loss)
    gradients = {name: each.grad for name, each in policy.named_parameters() if each.grad is not None}
    assert set(gradients) == set(part(theirs, "grad"))
    for name, gradient in gradients.items():
        compare(f"grad.{name}", gradient)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for _ in range(3):
        loss, _ = policy.forward(batch, **explicit)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    compare("curve", torch.stack(losses))
    return wrong
