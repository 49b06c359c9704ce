"""SmolVLA cross-loaded with huggingface/lerobot: 20 random small configurations, weights and processors both ways.

Processed batches, losses, gradients, three optimizer steps, chunks and continued chunks must agree within 1e-5 of their
largest element in float32, and within 2e-2 where the language model has bfloat16 weights; tokens exactly.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_smolvlm import write_tiny_smolvlm

from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.config import RTCConfig
from lerobot.policies.rtc.continuation import Continuation
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.policy import SmolVLAPolicy

pytestmark = pytest.mark.peer

CASES, ROWS = 20, 3
TASKS = ["pick up the red cube", "put it into the bin\n", "öffne die Schublade, then wait"]

Tensors = dict[str, torch.Tensor]


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    layers = int(random.choice([2, 4]))
    chosen: dict[str, Any] = {
        "chunk_size": 6,
        "n_action_steps": 3,
        "max_state_dim": int(random.choice([14, 16])),
        "max_action_dim": int(random.choice([14, 16])),
        "resize_imgs_with_padding": [(32, 32), (48, 32), (16, 16)][int(random.integers(3))] if index % 3 else (32, 32),
        "empty_cameras": int(index % 4 == 3),
        "adapt_to_pi_aloha": index % 10 == 7,
        "num_steps": int(random.integers(1, 5)),
        "freeze_vision_encoder": bool(random.integers(2)),
        "train_expert_only": bool(random.integers(2)),
        "train_state_proj": bool(random.integers(2)),
        "add_image_special_tokens": index % 4 == 1,
        "attention_mode": "self_attn" if index % 5 == 2 else "cross_attn",
        "prefix_length": int(random.choice([-1, 0, 80])),
        "pad_language_to": str(random.choice(["longest", "max_length"])),
        "tokenizer_max_length": 16,
        "num_vlm_layers": layers,
        "self_attn_every_n_layers": int(random.choice([2, 3, 0])),
        "expert_width_multiplier": float(random.choice([0.75, 0.5])),
    }
    if index % 5 == 3:
        # The peer cannot act where a layer that looks at both streams has no expert beside it.
        chosen |= {"num_expert_layers": layers // int(random.choice([2, layers])), "self_attn_every_n_layers": 0}
    if chosen["resize_imgs_with_padding"] == (48, 32):
        # The connector takes squares of tokens.
        chosen["resize_imgs_with_padding"] = (48, 48)
    return chosen


def dtype(index: int) -> str:
    return "bfloat16" if index in {4, 9, 12, 17} else "float32"


def shapes(index: int) -> dict[str, PolicyFeature]:
    inputs = {"observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40))}
    if index % 2:
        inputs["observation.images.wrist"] = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 48, 33))
    return {**inputs, "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(14 if index % 10 == 7 else 5,))}


def data(seed: int, config: SmolVLAConfig) -> Tensors:
    torch.manual_seed(seed)
    found: Tensors = {}
    width = config.output_features["action"].shape[0]
    for key, feature in {**config.input_features, **config.output_features}.items():
        if feature.type is not FeatureType.VISUAL:
            found |= {
                f"stats.{key}.mean": torch.randn(feature.shape),
                f"stats.{key}.std": torch.rand(feature.shape) + 0.5,
            }
    for key, feature in config.input_features.items():
        # Of cameras that may be missing, those that are declared as empty ones are.
        if "empty_camera" in key:
            continue
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        # Training gives every observation an axis for time, with which the peer cannot turn the joints of an ALOHA.
        times = () if config.adapt_to_pi_aloha and feature.type is FeatureType.STATE else (1,)
        found[f"batch.{key}"] = draw(ROWS, *times, *feature.shape)
        found[f"tick.{key}"] = draw(ROWS, *feature.shape)
    found["batch.action"] = torch.randn(ROWS, config.chunk_size, width)
    found["batch.action_is_pad"] = torch.zeros(ROWS, config.chunk_size, dtype=torch.bool)
    found["batch.action_is_pad"][0, 2:] = True
    found["noise"] = torch.randn(ROWS, config.chunk_size, config.max_action_dim)
    found["time"] = torch.rand(ROWS) * 0.99 + 0.01
    found["left"] = torch.randn(ROWS, 4, width)
    return found


def part(tensors: Tensors, name: str) -> Tensors:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name the interpreter of an environment with huggingface/lerobot")
    folder = tmp_path_factory.mktemp("smolvla")
    for name in ("float32", "bfloat16"):
        write_tiny_smolvlm(folder / name, dtype=name)
    for index in range(CASES):
        write_case(folder, index)
    done = subprocess.run(
        [python, Path(__file__).with_name("peer_smolvla.py"), folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def write_case(root: Path, index: int) -> None:
    folder = root / str(index)
    chosen = {**settings(np.random.default_rng(index), index), "vlm_model_name": str(root / dtype(index))}
    inputs, width = shapes(index), 14 if index % 10 == 7 else 4
    outputs = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(width,))}
    config = SmolVLAConfig(input_features=inputs, output_features=outputs, device="cpu", **chosen)
    tensors = data(index, config)
    stats: dict[str, dict[str, torch.Tensor]] = {}
    for name, value in part(tensors, "stats").items():
        key, _, statistic = name.rpartition(".")
        stats.setdefault(key, {})[statistic] = value
    torch.manual_seed(100 + index)
    policy = config.build()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    PolicyWithProcessors(policy, make_processors(config, stats)).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "inputs": {key: each for key, each in dumped["input_features"].items() if "empty_camera" not in key},
        "outputs": dumped["output_features"],
        "settings": chosen,
        "seed": index,
        "tasks": TASKS,
    }
    (folder / "case.json").write_text(json.dumps(case))


def differences(pair: PolicyWithProcessors, tensors: Tensors, theirs: Tensors, tolerance: float) -> list[str]:
    """What is not the same within a tolerance of the largest element, each with its difference."""
    wrong = []

    def compare(name: str, ours: torch.Tensor) -> None:
        expected = theirs[name].double()
        error = (ours.detach().double() - expected).abs().max() / max(1.0, float(expected.abs().max()))
        if not error <= tolerance:
            wrong.append(f"{name} {error:.2e}")

    policy, preprocessor = pair.policy, pair.processors.preprocessor
    assert isinstance(policy, SmolVLAPolicy)
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


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    folder = root / str(index)
    pair = PolicyWithProcessors.from_pretrained(folder / saved_by)
    theirs = load_file(folder / f"{saved_by}.safetensors")
    tolerance = 1e-5 if dtype(index) == "float32" else 2e-2
    assert not differences(pair, load_file(folder / "data.safetensors"), theirs, tolerance)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (load_file(root / str(index) / name / "model.safetensors") for name in ("ours", "theirs"))
    assert {key: (each.shape, each.dtype) for key, each in ours.items()} == {
        key: (each.shape, each.dtype) for key, each in theirs.items()
    }
