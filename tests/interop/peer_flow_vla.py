"""What the peer's scripts for vision-language-action models share: it runs under the peer's interpreter."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from lerobot.processor import PolicyProcessorPipeline
from peer_exchange import cases, features, load_pipelines, own_tokenizer, part, save, statistics, write

Forward = Callable[[object, dict, dict], torch.Tensor]
"""From a policy, a batch and the data of a case to the loss."""


def randomise(policy: torch.nn.Module) -> None:
    """Parameters that begin as zeros or ones would hide errors."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)


def copied(batch: dict) -> dict:
    return {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in batch.items()}


def results(policy, pre: PolicyProcessorPipeline, data: dict, asked: dict, forward: Forward) -> dict:
    found = {}
    observation = pre({**part(data, "tick"), "task": asked["tasks"]})
    policy.config.rtc_config = None
    policy.init_rtc_processor()
    found["chunk"] = policy.predict_action_chunk(dict(observation), noise=data["noise"])
    # In place, there: a policy may change the batch.
    observation = pre({**part(data, "tick"), "task": asked["tasks"]})
    policy.config.rtc_config = RTCConfig(execution_horizon=3)
    policy.init_rtc_processor()
    found["continued"] = policy.predict_action_chunk(
        dict(observation), noise=data["noise"], prev_chunk_left_over=data["left"], inference_delay=1
    )
    batch = pre({**part(data, "batch"), "task": asked["tasks"]})
    found |= {f"processed.{key}": value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    policy.train()
    loss = forward(policy, copied(batch), data)
    loss.backward()
    found["loss"] = loss.detach()
    found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for _ in range(3):
        loss = forward(policy, copied(batch), data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    found["curve"] = torch.stack(losses)
    return found


def config_of(folder: Path, small: tuple[str, ...]) -> PreTrainedConfig:
    """Read a configuration of ours, without fields that only small models have: the peer refuses them."""
    fields = json.loads((folder / "config.json").read_text())
    known = folder.with_name("known")
    known.mkdir()
    (known / "config.json").write_text(json.dumps({key: each for key, each in fields.items() if key not in small}))
    return PreTrainedConfig.from_pretrained(known)


def run_cases(
    root: Path,
    policy_class: type,
    config_class: Callable,
    make_processors: Callable,
    forward: Forward,
    small: tuple[str, ...] = (),
    compute: Callable = results,
) -> None:
    """For every case: save a policy of the peer's own, load ours, and compute the same with both."""
    for folder, asked, data in cases(root):
        config = config_class(
            input_features=features(asked["inputs"]),
            output_features=features(asked["outputs"]),
            device="cpu",
            push_to_hub=False,
            **asked["settings"],
        )
        torch.manual_seed(asked["seed"])
        policy = policy_class(config)
        randomise(policy)
        pre, post = make_processors(config, dataset_stats=statistics(data))
        save(folder / "theirs", policy, pre, post)
        write(folder / "theirs.safetensors", compute(policy, pre, data, asked, forward))

        ours = folder / "ours"
        policy = policy_class.from_pretrained(ours, config=config_of(ours, small), strict=True)
        pre, _ = load_pipelines(ours, own_tokenizer(ours))
        write(folder / "ours.safetensors", compute(policy, pre, data, asked, forward))
