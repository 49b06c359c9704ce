"""SmolVLA cross-loaded with huggingface/lerobot: 20 random small configurations, weights and processors both ways.

Processed batches, losses, gradients, three optimizer steps, chunks and continued chunks must agree within 1e-5 of their
largest element in float32, and within 2e-2 where the language model has bfloat16 weights; tokens exactly.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, described, run_peer
from flow_vla import differences, write_case
from tiny_smolvlm import write_tiny_smolvlm

from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.smolvla.config import SmolVLAConfig

pytestmark = pytest.mark.peer

CASES, ROWS = 20, 3


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


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smolvla")
    for name in ("float32", "bfloat16"):
        write_tiny_smolvlm(folder / name, dtype=name)
    for index in range(CASES):
        chosen = {**settings(np.random.default_rng(index), index), "vlm_model_name": str(folder / dtype(index))}
        width = 14 if index % 10 == 7 else 4
        outputs = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(width,))}
        config = SmolVLAConfig(input_features=shapes(index), output_features=outputs, device="cpu", **chosen)
        write_case(folder / str(index), index, config, data(index, config), chosen)
    run_peer("peer_smolvla.py", folder)
    return folder


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    assert not differences(root / str(index), saved_by, 1e-5 if dtype(index) == "float32" else 2e-2)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)
