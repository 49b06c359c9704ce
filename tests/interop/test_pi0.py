"""Pi0 and Pi0.5 cross-loaded with huggingface/lerobot: 20 random small configurations each, files both ways.

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
from tiny_pi import VOCABULARY, write_tiny_tokenizer

from lerobot.pi0.config import PI0Config, PiFlowConfig
from lerobot.pi0.pi05_config import PI05Config
from lerobot.policies.features import FeatureType, PolicyFeature

pytestmark = pytest.mark.peer

CASES, ROWS, JOINTS = 20, 3, ["base", "elbow", "wrist", "gripper"]
SMALL = ["paligemma", "action_expert"]
CONFIGS = {"pi0": PI0Config, "pi05": PI05Config}


def networks(random: np.random.Generator) -> dict[str, Any]:
    """Sizes; heads are eight, for in the peer they cannot be others."""
    patch, side = int(random.choice([4, 8])), int(random.choice([2, 3]))
    shared = {
        "layers": int(random.integers(1, 4)),
        "heads": 8,
        "key_heads": int(random.choice([1, 2])),
        "head_width": int(random.choice([8, 16])),
    }
    vision = {"width": 16, "hidden": int(random.choice([24, 32])), "layers": int(random.integers(1, 3)), "heads": 2}
    text = {**shared, "width": int(random.choice([32, 48])), "hidden": 48, "vocabulary": VOCABULARY}
    return {
        "paligemma": {"vision": {**vision, "image": patch * side, "patch": patch}, "text": text},
        "action_expert": {**shared, "width": int(random.choice([24, 40])), "hidden": 40},
    }


def settings(name: str, random: np.random.Generator, index: int, image: int) -> dict[str, Any]:
    relative = index % 4 == 1
    chosen: dict[str, Any] = {
        "chunk_size": 6,
        "n_action_steps": 3,
        "max_state_dim": int(random.choice([5, 8])),
        "max_action_dim": int(random.choice([4, 8])),
        "dtype": dtype(index),
        "num_inference_steps": int(random.integers(1, 5)),
        "min_period": float(random.choice([4e-3, 1e-2])),
        "max_period": float(random.choice([4.0, 2.0])),
        "use_relative_actions": relative,
        "relative_exclude_joints": ["gripper"] if random.integers(2) else [],
        "action_feature_names": JOINTS if relative else None,
        "image_resolution": (image, image),
        "empty_cameras": int(index % 4 == 3),
        "tokenizer_max_length": int(random.choice([16, 40] if name == "pi0" else [60, 120])),
        "gradient_checkpointing": bool(random.integers(2)),
        "freeze_vision_encoder": bool(random.integers(2)),
        "train_expert_only": index % 3 == 2,
    }
    if index % 5 == 2:
        modes = random.choice(["MEAN_STD", "MIN_MAX", "QUANTILES"], 2)
        chosen["normalization_mapping"] = {"VISUAL": "IDENTITY", "STATE": str(modes[0]), "ACTION": str(modes[1])}
    return chosen


def dtype(index: int) -> str:
    return "bfloat16" if index in {4, 9, 12, 17} else "float32"


def shapes(index: int) -> dict[str, PolicyFeature]:
    inputs = {"observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40))}
    if index % 2:
        inputs["observation.images.wrist"] = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 48, 33))
    return {**inputs, "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(5,))}


def data(seed: int, config: PiFlowConfig) -> Tensors:
    torch.manual_seed(seed)
    found: Tensors = {}
    for key, width in (("observation.state", 5), ("action", len(JOINTS))):
        low = torch.randn(width) - 1
        found |= {
            f"stats.{key}.mean": torch.randn(width),
            f"stats.{key}.std": torch.rand(width) + 0.5,
            f"stats.{key}.min": low - 0.5,
            f"stats.{key}.max": low + 3,
            f"stats.{key}.q01": low,
            f"stats.{key}.q99": low + 2 + torch.rand(width),
        }
    for key, feature in config.input_features.items():
        # Of cameras that may be missing, those that are declared as empty ones are.
        if "empty_camera" not in key:
            draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
            found |= {f"{moment}.{key}": draw(ROWS, *feature.shape) for moment in ("batch", "tick")}
    found["batch.action"] = torch.randn(ROWS, config.chunk_size, len(JOINTS))
    found["batch.action_is_pad"] = torch.zeros(ROWS, config.chunk_size, dtype=torch.bool)
    found["batch.action_is_pad"][0, 2:] = True
    found["noise"] = torch.randn(ROWS, config.chunk_size, config.max_action_dim)
    found["time"] = torch.rand(ROWS) * 0.99 + 0.01
    found["left"] = torch.randn(ROWS, 4, len(JOINTS))
    return found


@pytest.fixture(scope="module", params=CONFIGS)
def root(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write_tiny_tokenizer(folder / "tokenizer")
    outputs = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(len(JOINTS),))}
    for index in range(CASES):
        random = np.random.default_rng(index)
        sizes = networks(random)
        chosen = settings(request.param, random, index, sizes["paligemma"]["vision"]["image"])
        config = CONFIGS[request.param](
            input_features=shapes(index),
            output_features=outputs,
            device="cpu",
            text_tokenizer_name=str(folder / "tokenizer"),
            **sizes,
            **chosen,
        )
        write_case(folder / str(index), index, config, data(index, config), {**chosen, "networks": sizes})
    run_peer("peer_pi0.py", folder, request.param)
    return folder


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    assert not differences(root / str(index), saved_by, 1e-5 if dtype(index) == "float32" else 2e-2, SMALL)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)
