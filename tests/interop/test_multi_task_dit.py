"""Multi-Task DiT cross-loaded with huggingface/lerobot: 20 random configurations, weights and processors both ways.

Processed batches, losses, gradients, three optimizer steps and sequences of actions must agree within 1e-5 of their
largest element where that is over 1 (float32, CPU), with crops, dropout, noise, levels and times drawn from the same
random numbers; tokens exactly.

The environment of `LEROBOT_PEER_PYTHON` needs diffusers, and the releases of transformers that the peer asks for: newer
ones write other names.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, acted, described, difference, drawn_statistics, part, run_peer
from flow_vla import TASKS, write_case
from safetensors.torch import load_file
from tiny_clip import write_tiny_clip

from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.multi_task_dit.policy import MultiTaskDiTPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import load_processors

# Twenty policies at the peer take a while.
pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

CASES, ROWS, TICKS = 20, 3, 8

# Size of the images, what they are scaled to, and what is cut out.
IMAGES: list[tuple[tuple[int, int], Any, Any]] = [
    ((36, 40), None, (32, 32)),
    ((40, 33), (32, 32), None),
    ((32, 32), None, None),
    ((30, 50), (36, 38), (32, 32)),
    # Cut only where they are larger.
    ((32, 32), None, (224, 224)),
]


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    n_obs, horizon, levels = int(random.integers(1, 4)), int(random.choice([6, 8])), int(random.integers(4, 12))
    _, resize, crop = IMAGES[index % 5]
    return {
        "n_obs_steps": n_obs,
        "horizon": horizon,
        "n_action_steps": int(random.integers(2, horizon - n_obs + 2)),
        "objective": ["diffusion", "flow_matching"][index % 2],
        "noise_scheduler_type": str(random.choice(["DDPM", "DDIM"])),
        "num_train_timesteps": levels,
        "beta_schedule": str(random.choice(["linear", "scaled_linear", "squaredcos_cap_v2"])),
        "prediction_type": str(random.choice(["epsilon", "sample"])),
        "clip_sample": bool(index % 5),
        "clip_sample_range": float(random.choice([1.0, 2.0])),
        "num_inference_steps": int(random.integers(1, levels + 1)) if index % 3 else None,
        "sigma_min": float(random.choice([0.0, 0.1])),
        "num_integration_steps": int(random.integers(1, 6)),
        "integration_method": ["euler", "rk4"][index // 2 % 2],
        "timestep_sampling_strategy": ["beta", "uniform"][index // 4 % 2],
        "timestep_sampling_s": float(random.choice([0.999, 0.9])),
        "timestep_sampling_alpha": float(random.choice([1.5, 1.0])),
        "timestep_sampling_beta": float(random.choice([1.0, 2.0])),
        "hidden_dim": int(random.choice([24, 32])),
        "num_layers": int(random.integers(1, 4)),
        "num_heads": int(random.choice([2, 4])),
        "dropout": float(random.choice([0.0, 0.1, 0.5])),
        "use_positional_encoding": bool(random.integers(2)),
        "use_rope": bool(index % 4),
        "rope_base": float(random.choice([10000.0, 100.0])),
        "timestep_embed_dim": int(random.choice([8, 16])),
        "use_separate_rgb_encoder_per_camera": bool(random.integers(2)),
        "vision_encoder_lr_multiplier": float(random.choice([0.1, 0.5])),
        "image_resize_shape": resize,
        "image_crop_shape": crop,
        "image_crop_is_random": bool(random.integers(2)),
        "tokenizer_max_length": 16,
        "tokenizer_padding": str(random.choice(["max_length", "longest"])),
        "tokenizer_padding_side": "left" if index % 7 == 3 else "right",
        "optimizer_lr": 1e-4,
        "do_mask_loss_for_padding": bool(random.integers(2)),
    }


def features(random: np.random.Generator, index: int) -> tuple[dict[str, PolicyFeature], dict[str, PolicyFeature]]:
    size = IMAGES[index % 5][0]
    image = PolicyFeature(type=FeatureType.VISUAL, shape=(3, *size))
    inputs = {f"observation.images.{name}": image for name in ("front", "wrist")[: index % 3]}
    inputs["observation.state"] = PolicyFeature(type=FeatureType.STATE, shape=(int(random.integers(2, 8)),))
    if index % 6 == 5:
        inputs["observation.environment_state"] = PolicyFeature(type=FeatureType.ENV, shape=(3,))
    return inputs, {"action": PolicyFeature(type=FeatureType.ACTION, shape=(int(random.integers(1, 7)),))}


def data(seed: int, config: MultiTaskDiTConfig) -> Tensors:
    torch.manual_seed(seed)
    found = drawn_statistics(config)
    for key, feature in config.input_features.items():
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        found[f"batch.{key}"] = draw(ROWS, config.n_obs_steps, *feature.shape)
        found[f"tick.{key}"] = draw(TICKS, ROWS, *feature.shape)
    found["batch.action"] = torch.randn(ROWS, config.horizon, *config.output_features["action"].shape)
    found["batch.action_is_pad"] = torch.zeros(ROWS, config.horizon, dtype=torch.bool)
    found["batch.action_is_pad"][0, 1:] = True
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("multi_task_dit")
    # A text ends at its first end, or in older files at its largest token.
    write_tiny_clip(folder / "clip-1")
    write_tiny_clip(folder / "clip-2", end_token=2, activation="gelu")
    for index in range(CASES):
        random = np.random.default_rng(index)
        clip = str(folder / f"clip-{1 + index // 3 % 2}")
        chosen = {**settings(random, index), "vision_encoder_name": clip, "text_encoder_name": clip}
        inputs, outputs = features(random, index)
        config = MultiTaskDiTConfig(input_features=inputs, output_features=outputs, device="cpu", **chosen)
        write_case(folder / str(index), index, config, data(index, config), chosen)
    run_peer("peer_multi_task_dit.py", folder)
    return folder


def loaded(folder: Path, saved_by: str) -> PolicyWithProcessors:
    # This release does not save the tokenizer.
    tokenizer = {"tokenizer_processor": {"tokenizer_name": str(folder / "ours/tokenizer")}}
    policy = PreTrainedPolicy.from_pretrained(folder / saved_by)
    return PolicyWithProcessors(
        policy, load_processors(policy.config, Checkpoint.at(folder / saved_by), overrides=tokenizer)
    )


def learned(policy: PreTrainedPolicy, batch: dict[str, Any]) -> Tensors:
    """Loss, gradients, and losses of three steps of the optimizer."""
    policy.train()
    torch.manual_seed(7)
    loss, _ = policy.forward(batch)
    loss.backward()
    found = {f"grad.{name}": each.grad for name, each in policy.named_parameters() if each.grad is not None}
    found = {"loss": loss.detach(), **{name: gradient.clone() for name, gradient in found.items()}}
    optimizer = torch.optim.Adam(policy.parameter_groups(), lr=1e-4, betas=(0.95, 0.999))
    losses = []
    for _ in range(3):
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return {**found, "curve": torch.stack(losses)}


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    folder = root / str(index)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / f"{saved_by}.safetensors")
    pair = loaded(folder, saved_by)
    torch.manual_seed(5)
    found = {"actions": acted(pair, tensors, {"task": TASKS})}
    batch = pair.processors.preprocessor({**part(tensors, "batch"), "task": TASKS})
    found |= {f"processed.{key}": batch[key] for key in batch if f"processed.{key}" in theirs}
    found |= learned(pair.policy, batch)
    assert set(found) == set(theirs)
    for key in found:
        if "language" in key:
            assert torch.equal(found[key], theirs[key]), key
    errors = {key: difference(value, theirs[key]) for key, value in found.items()}
    assert not {key: error for key, error in errors.items() if not error <= 1e-5}


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("index", range(CASES))
def test_optimizers_know_parameters_by_the_same_places(root: Path, index: int) -> None:
    policy = loaded(root / str(index), "theirs").policy
    assert isinstance(policy, MultiTaskDiTPolicy)
    names = {id(each): name for name, each in policy.named_parameters()}
    groups = [[names[id(each)] for each in group["params"]] for group in policy.parameter_groups()]
    assert groups == json.loads((root / str(index) / "groups.json").read_text())
