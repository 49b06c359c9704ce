"""ACT cross-loaded with huggingface/lerobot: 20 random configurations, weights and processors both ways.

Losses, gradients, processed batches and action sequences must agree within 1e-5 of their largest element (float32,
CPU), with dropout and the variational encoder drawing from the same random numbers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, acted, difference, part, run_peer, statistics
from safetensors.torch import load_file, save_file

from lerobot.act.config import ACTConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.processing.pipelines import make_processors

pytestmark = pytest.mark.peer

CASES, ROWS, TICKS = 20, 3, 7
WITH_CURVE = {0, 1}
NEEDED = {
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    chunk = int(random.integers(2, 8))
    ensemble = bool(index % 4 == 3)
    modes = list(NEEDED)
    return {
        "chunk_size": chunk,
        "n_action_steps": 1 if ensemble else int(random.integers(1, chunk + 1)),
        "temporal_ensemble_coeff": float(random.choice([0.01, 0.0, -0.1, 0.5])) if ensemble else None,
        "vision_backbone": "resnet50" if index == 5 else "resnet18",
        "replace_final_stride_with_dilation": index == 5,
        "pre_norm": bool(random.integers(2)),
        "dim_model": int(random.choice([16, 32, 48])),
        "n_heads": int(random.choice([2, 4])),
        "dim_feedforward": int(random.choice([24, 64])),
        "feedforward_activation": str(random.choice(["relu", "gelu"])),
        "n_encoder_layers": int(random.integers(1, 4)),
        "n_decoder_layers": int(random.integers(1, 3)),
        "use_vae": bool(index % 5 != 4),
        "latent_dim": int(random.integers(2, 9)),
        "n_vae_encoder_layers": int(random.integers(1, 3)),
        "dropout": float(random.choice([0.0, 0.1, 0.4])),
        "kl_weight": float(random.choice([1.0, 10.0])),
        "normalization_mapping": {
            "VISUAL": str(random.choice(["MEAN_STD", "IDENTITY", "MIN_MAX"])),
            "STATE": str(random.choice(modes)),
            "ACTION": str(random.choice(modes)),
        },
    }


def shapes(random: np.random.Generator, index: int) -> tuple[PolicyFeatures, PolicyFeatures]:
    inputs = {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(int(random.integers(2, 8)),))}
    pictures = index % 2 + (index % 6 == 1)
    for camera, size in zip(("front", "wrist"), ((3, 32, 48), (3, 40, 33)), strict=True):
        if pictures > 0:
            inputs[f"observation.images.{camera}"] = PolicyFeature(type=FeatureType.VISUAL, shape=size)
            pictures -= 1
    if index % 2 == 0:
        inputs["observation.environment_state"] = PolicyFeature(type=FeatureType.ENV, shape=(5,))
    return inputs, {"action": PolicyFeature(type=FeatureType.ACTION, shape=(int(random.integers(1, 7)),))}


def data(seed: int, config: ACTConfig) -> Tensors:
    torch.manual_seed(seed)
    found: Tensors = {}
    for key, feature in {**config.input_features, **config.output_features}.items():
        size = (3, 1, 1) if feature.type is FeatureType.VISUAL else feature.shape
        low = torch.randn(size)
        found |= {
            f"stats.{key}.{name}": low + step for name, step in zip(("min", "q01", "q10"), (0, 0.1, 0.2), strict=True)
        }
        high = low + 1 + torch.rand(size)
        found |= {
            f"stats.{key}.{name}": high - step for name, step in zip(("max", "q99", "q90"), (0, 0.1, 0.2), strict=True)
        }
        found |= {f"stats.{key}.mean": (low + high) / 2, f"stats.{key}.std": (high - low) / 3}
    for key, feature in config.input_features.items():
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        found[f"batch.{key}"] = draw(ROWS, *feature.shape)
        found[f"tick.{key}"] = draw(TICKS, ROWS, *feature.shape)
    found["batch.action"] = torch.randn(ROWS, config.chunk_size, *config.output_features["action"].shape)
    found["batch.action_is_pad"] = torch.zeros(ROWS, config.chunk_size, dtype=torch.bool)
    found["batch.action_is_pad"][0, 1:] = True
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("act")
    for index in range(CASES):
        write_case(folder / str(index), index)
    run_peer("peer_act.py", folder)
    return folder


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    chosen = settings(random, index)
    inputs, outputs = shapes(random, index)
    config = ACTConfig(
        input_features=inputs, output_features=outputs, device="cpu", pretrained_backbone_weights=None, **chosen
    )
    tensors = data(index, config)
    torch.manual_seed(100 + index)
    policy = config.build()
    PolicyWithProcessors(policy, make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "inputs": dumped["input_features"],
        "outputs": dumped["output_features"],
        "settings": chosen,
        "seed": index,
        "steps": 50 if index in WITH_CURVE else 0,
    }
    (folder / "case.json").write_text(json.dumps(case))


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-5) -> bool:
    return difference(ours, theirs) <= tolerance


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_by_the_peer_act_and_learn_alike_here(root: Path, index: int) -> None:
    tensors, theirs = (
        load_file(root / str(index) / "data.safetensors"),
        load_file(root / str(index) / "theirs.safetensors"),
    )
    pair = PolicyWithProcessors.from_pretrained(root / str(index) / "theirs")
    batch = pair.processors.preprocessor(part(tensors, "batch"))
    for key, expected in part(theirs, "processed").items():
        assert close(batch[key], expected), key
    pair.policy.train()
    torch.manual_seed(7)
    loss, _ = pair.policy.forward(batch)
    loss.backward()
    assert close(loss.detach(), theirs["train_loss"])
    gradients = {name: each.grad for name, each in pair.policy.named_parameters() if each.grad is not None}
    assert set(gradients) == set(part(theirs, "grad"))
    different = [name for name, each in gradients.items() if not close(each, theirs[f"grad.{name}"])]
    assert not different
    pair.policy.eval()
    with torch.no_grad():
        assert close(pair.policy.forward(batch)[0], theirs["eval_loss"])
    assert close(acted(pair, tensors), theirs["actions"])
    if index in WITH_CURVE:
        assert close(learn(pair, batch, len(theirs["curve"])), theirs["curve"], 1e-4)


def learn(pair: PolicyWithProcessors, batch: dict[str, Any], steps: int) -> torch.Tensor:
    pair.policy.train()
    optimizer = torch.optim.AdamW(pair.policy.parameters(), lr=1e-4)
    torch.manual_seed(11)
    losses = []
    for _ in range(steps):
        loss, _ = pair.policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_here_act_alike_at_the_peer(root: Path, index: int) -> None:
    tensors, theirs = (
        load_file(root / str(index) / "data.safetensors"),
        load_file(root / str(index) / "ours.safetensors"),
    )
    assert close(acted(PolicyWithProcessors.from_pretrained(root / str(index) / "ours"), tensors), theirs["actions"])
