"""Diffusion Policy and VQ-BeT cross-loaded with huggingface/lerobot: 20 random configurations each, both ways.

Losses, their parts, gradients, running statistics, processed batches and sequences of actions must agree within 1e-5,
or 1e-5 of their largest element where that is over 1 (float32, CPU), with crops, dropout, noise and codes drawn from
the same random numbers.

The environment of `LEROBOT_PEER_PYTHON` needs diffusers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, acted, difference, drawn_statistics, part, run_peer, statistics
from safetensors.torch import load_file, save_file

from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.processing.pipelines import make_processors

# Forty policies at the peer take a while.
pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

CASES, ROWS, TICKS = 20, 4, 50


def diffusion(random: np.random.Generator, index: int) -> dict[str, Any]:
    # Of the large one convolutions over time are accelerated: products of matrices.
    widths = (512, 512, 640) if index == 1 else [(8, 16), (16, 16, 32), (24, 8, 16)][index % 3]
    n_obs, horizon = int(random.integers(1, 4)), 8 if index == 1 else int(random.choice([8, 16]))
    resized, levels = index % 7 == 3, int(random.integers(5, 15))
    return {
        "n_obs_steps": n_obs,
        "horizon": horizon,
        "n_action_steps": int(random.integers(1, horizon - n_obs + 2)),
        "vision_backbone": "resnet50" if index == 5 else "resnet18",
        "resize_shape": [64, 70] if resized else None,
        "crop_ratio": float(random.choice([0.9, 1.0])) if resized else 1.0,
        "crop_shape": [65, 72] if index % 4 and not resized else None,
        "crop_is_random": bool(random.integers(2)),
        "use_group_norm": bool(index % 2),
        "spatial_softmax_num_keypoints": int(random.integers(2, 9)),
        "use_separate_rgb_encoder_per_camera": bool(index % 3),
        "down_dims": list(widths),
        "kernel_size": int(random.choice([3, 5])),
        "n_groups": int(random.choice([4, 8])),
        "diffusion_step_embed_dim": int(random.choice([4, 16])),
        "use_film_scale_modulation": bool(random.integers(2)),
        "gradient_checkpointing": index == 6,
        "noise_scheduler_type": str(random.choice(["DDPM", "DDIM"])),
        "num_train_timesteps": levels,
        "beta_schedule": str(random.choice(["linear", "scaled_linear", "squaredcos_cap_v2"])),
        "prediction_type": str(random.choice(["epsilon", "sample"])),
        "clip_sample": bool(index % 5),
        "clip_sample_range": float(random.choice([1.0, 2.0])),
        "num_inference_steps": int(random.integers(1, levels + 1)) if index % 2 else None,
        "do_mask_loss_for_padding": bool(random.integers(2)),
    }


def vqbet(random: np.random.Generator, index: int) -> dict[str, Any]:
    return {
        "n_obs_steps": int(random.integers(1, 4)),
        "n_action_pred_token": int(random.integers(1, 4)),
        "action_chunk_size": int(random.integers(1, 5)),
        "vision_backbone": "resnet50" if index == 5 else "resnet18",
        "crop_shape": [65, 72] if index % 4 else None,
        "crop_is_random": bool(random.integers(2)),
        "use_group_norm": bool(index % 2),
        "spatial_softmax_num_keypoints": int(random.integers(2, 9)),
        # Learning once is learning actions as codes; the second time, codes from observations.
        "n_vqvae_training_steps": 1,
        "vqvae_n_embed": int(random.integers(3, 9)),
        "vqvae_embedding_dim": int(random.choice([8, 16])),
        "vqvae_enc_hidden_dim": int(random.choice([8, 16])),
        "gpt_block_size": 20,
        "gpt_input_dim": int(random.choice([16, 24])),
        "gpt_output_dim": int(random.choice([16, 24])),
        "gpt_n_layer": int(random.integers(1, 4)),
        "gpt_n_head": int(random.choice([2, 4])),
        "gpt_hidden_dim": int(random.choice([16, 32])),
        "dropout": float(random.choice([0.0, 0.1, 0.4])),
        "offset_loss_weight": float(random.choice([1.0, 100.0])),
        "bet_softmax_temperature": float(random.choice([0.1, 1.0])),
        "sequentially_select": bool(index % 2),
    }


def features(random: np.random.Generator, kind: str, index: int) -> tuple[PolicyFeatures, PolicyFeatures]:
    inputs = {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(int(random.integers(2, 8)),))}
    cameras = ["observation.image"] if kind == "vqbet" else [f"observation.images.{name}" for name in ("a", "b")]
    for camera in cameras if kind == "vqbet" else cameras[: index % 3]:
        inputs[camera] = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 70, 81))
    if kind == "diffusion" and (index % 3 == 0 or index % 5 == 0):
        inputs["observation.environment_state"] = PolicyFeature(type=FeatureType.ENV, shape=(5,))
    return inputs, {"action": PolicyFeature(type=FeatureType.ACTION, shape=(int(random.integers(1, 7)),))}


def data(seed: int, config: PreTrainedConfig) -> Tensors:
    torch.manual_seed(seed)
    found = drawn_statistics(config)
    for key, feature in config.input_features.items():
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        found[f"batch.{key}"] = draw(ROWS, config.n_obs_steps, *feature.shape)
        # Pictures of all ticks would be a large file, and two that alternate prove as much.
        found[f"tick.{key}"] = draw(2, ROWS, *feature.shape).repeat(TICKS // 2, *[1] * (1 + len(feature.shape)))
    indices = config.action_delta_indices
    assert indices is not None
    found["batch.action"] = torch.randn(ROWS, len(indices), *config.output_features["action"].shape)
    found["batch.action_is_pad"] = torch.zeros(ROWS, len(indices), dtype=torch.bool)
    found["batch.action_is_pad"][0, 1:] = True
    return found


@pytest.fixture(scope="module", params=["diffusion", "vqbet"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    for index in range(CASES):
        write_case(folder / str(index), request.param, index)
    run_peer("peer_diffusion_vqbet.py", folder)
    return folder


def write_case(folder: Path, kind: str, index: int) -> None:
    random = np.random.default_rng(index)
    chosen = {"diffusion": diffusion, "vqbet": vqbet}[kind](random, index)
    inputs, outputs = features(random, kind, index)
    config: PreTrainedConfig = registry.config_class("policy", kind)(
        input_features=inputs, output_features=outputs, device="cpu", pretrained_backbone_weights=None, **chosen
    )
    tensors = data(index, config)
    torch.manual_seed(100 + index)
    PolicyWithProcessors(config.build(), make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "type": kind,
        "inputs": dumped["input_features"],
        "outputs": dumped["output_features"],
        "settings": chosen,
        "seed": index,
        "phases": 2 if kind == "vqbet" else 1,
    }
    (folder / "case.json").write_text(json.dumps(case))


def learned(pair: PolicyWithProcessors, batch: dict[str, Any]) -> Tensors:
    """Loss, gradients and what changed while learning."""
    pair.policy.train()
    pair.policy.zero_grad()
    torch.manual_seed(7)
    loss, parts = pair.policy.forward(batch)
    loss.backward()
    found = {f"grad.{name}": each.grad for name, each in pair.policy.named_parameters() if each.grad is not None}
    saved = pair.policy.state_dict()
    # Copies: the next phase goes on writing into the same buffers.
    found |= {f"buffer.{name}": each.clone() for name, each in pair.policy.named_buffers() if name in saved}
    found |= {f"part.{name}": torch.as_tensor(value) for name, value in parts.items()}
    return {**found, "loss": loss.detach()}


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_by_the_peer_act_and_learn_alike_here(root: Path, index: int) -> None:
    folder = root / str(index)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / "theirs.safetensors")
    pair = PolicyWithProcessors.from_pretrained(folder / "theirs")
    batch = pair.processors.preprocessor(part(tensors, "batch"))
    found = {f"processed.{key}": batch[key] for key in batch if f"processed.{key}" in theirs}
    for phase in range(json.loads((folder / "case.json").read_text())["phases"]):
        found |= {f"{phase}.{key}": value for key, value in learned(pair, batch).items()}
    torch.manual_seed(5)
    found["actions"] = acted(pair, tensors)
    assert set(found) == set(theirs)
    different = {key: each for key, value in found.items() if not (each := difference(value, theirs[key])) <= 1e-5}
    assert not different


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_here_act_alike_at_the_peer(root: Path, index: int) -> None:
    folder = root / str(index)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / "ours.safetensors")
    pair = PolicyWithProcessors.from_pretrained(folder / "ours")
    torch.manual_seed(5)
    assert difference(acted(pair, tensors), theirs["actions"]) <= 1e-5
