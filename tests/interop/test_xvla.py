"""X-VLA cross-loaded with huggingface/lerobot: 20 random small configurations, weights and processors both ways.

Processed batches, losses with and without dropout, gradients, three steps of its own optimizer, and chunks must agree
within 1e-5 of their largest element in float32, and within 2e-2 in bfloat16; tokens exactly. Gradients in bfloat16 are
measured by the largest of all: those of the peer differ there by 4.5e-2 from its own in float32.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, described, part, run_peer
from flow_vla import TASKS, loaded, write_case
from safetensors.torch import load_file
from tiny_xvla import tiny_florence, write_tiny_bart_tokenizer

from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.xvla.config import XVLAAdamWConfig, XVLAConfig
from lerobot.xvla.policy import XVLAPolicy

pytestmark = pytest.mark.peer

CASES, ROWS = 20, 3
SPACES = {"ee6d": 20, "joint": 14, "agibot_ee6d": 20, "franka_joint7": 7, "auto": 5, "so101_bimanual": 12}


def florence(random: np.random.Generator, index: int) -> dict[str, Any]:
    """Sizes of a backbone; of some cases in the form that Microsoft published."""
    changes = {"window_size": int(random.choice([2, 3])), "drop_path_rate": float(random.choice([0.0, 0.3]))}
    changes |= {"qkv_bias": bool(random.integers(2)), "mlp_ratio": float(random.choice([2.0, 4.0]))}
    found = tiny_florence(**changes)
    found["text_config"] |= {
        "encoder_layers": int(random.integers(1, 3)),
        "dropout": float(random.choice([0.0, 0.2])),
        "attention_dropout": float(random.choice([0.0, 0.1])),
        "activation_dropout": float(random.choice([0.0, 0.1])),
        "encoder_layerdrop": float(random.choice([0.0, 0.5])),
    }
    if index % 2:
        vision = found["vision_config"]
        vision["dim_embed"] = vision.pop("embed_dim")
        places, times = vision.pop("max_position_embeddings"), vision.pop("max_temporal_embeddings")
        vision |= {"image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": places}}
        vision |= {"visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": times}}
        vision |= {"image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"], "model_type": "davit"}
        found["text_config"]["model_type"] = "florence2_language"
    return found


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    mode = list(SPACES)[index % len(SPACES)]
    resized = [(32, 32), (24, 40), None][index % 3]
    return {
        "chunk_size": 6,
        "n_action_steps": 3,
        "dtype": dtype(index),
        "florence_config": florence(random, index),
        "tokenizer_max_length": 16,
        "tokenizer_padding_side": str(random.choice(["left", "right"])),
        "pad_language_to": str(random.choice(["longest", "max_length"])),
        "hidden_size": 32,
        "depth": int(random.integers(1, 3)),
        "num_heads": int(random.choice([2, 4])),
        "mlp_ratio": float(random.choice([2.0, 4.0])),
        "num_domains": 3,
        "len_soft_prompts": int(random.choice([0, 4])),
        "dim_time": int(random.choice([7, 8])),
        "max_len_seq": 200,
        "use_hetero_proj": bool(random.integers(2)),
        "action_mode": mode.upper() if index == 4 else mode,
        "num_denoising_steps": int(random.integers(1, 5)),
        # The peer's spaces that hide grippers cannot do without a state.
        "use_proprio": mode not in {"agibot_ee6d", "auto"} or bool(random.integers(2)),
        "max_state_dim": 20 if mode == "so101_bimanual" else int(random.choice([20, 22])),
        "max_action_dim": 8,
        "resize_imgs_with_padding": resized,
        "num_image_views": [None, 3][index % 2] if index % 4 else 4,
        "empty_cameras": int(index % 4 == 0),
        "freeze_vision_encoder": index % 5 == 1,
        "freeze_language_encoder": index % 5 == 2,
        "train_policy_transformer": index % 7 != 3,
        "train_soft_prompts": index % 7 != 4,
        "normalization_mapping": {
            "VISUAL": "IDENTITY",
            **dict.fromkeys(("STATE", "ACTION"), str(random.choice(["IDENTITY", "MEAN_STD"]))),
        },
        "optimizer_weight_decay": float(random.choice([0.0, 0.01])),
        "optimizer_soft_prompt_lr_scale": float(random.choice([0.5, 1.0])),
        "optimizer_soft_prompt_warmup_lr_scale": [None, 0.25][int(random.integers(2))],
    }


def dtype(index: int) -> str:
    return "bfloat16" if index in {4, 9, 12, 17} else "float32"


def shapes(index: int) -> dict[str, PolicyFeature]:
    size = (3, 32, 40)
    inputs = {"observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=size)}
    if index % 2:
        size = size if index % 3 == 2 else (3, 48, 33)
        inputs["observation.images.wrist"] = PolicyFeature(type=FeatureType.VISUAL, shape=size)
    # Wider than what the network takes, of some cases.
    return {**inputs, "observation.state": PolicyFeature(type=FeatureType.STATE, shape=((25, 9)[index % 4 > 0],))}


def data(seed: int, config: XVLAConfig) -> Tensors:
    torch.manual_seed(seed)
    found: Tensors = {"seed": torch.tensor(seed + 50), "domain": torch.randint(3, (ROWS,))}
    for key, feature in {**config.input_features, **config.output_features}.items():
        if feature.type is not FeatureType.VISUAL:
            found |= {
                f"stats.{key}.mean": torch.randn(feature.shape),
                f"stats.{key}.std": torch.rand(feature.shape) + 0.5,
            }
    for key, feature in config.input_features.items():
        if "empty_camera" in key:
            continue
        image = feature.type is FeatureType.VISUAL
        draw, scale = (torch.rand, 255 if seed % 5 == 0 else 1) if image else (torch.randn, 1)
        found[f"batch.{key}"] = draw(ROWS, *feature.shape) * scale
        found[f"tick.{key}"] = draw(ROWS, *feature.shape) * scale
    found["noise"] = torch.randn(ROWS, config.chunk_size, config.action_space.width)
    found["first"] = torch.rand(1)
    found["batch.action"] = torch.rand(ROWS, config.chunk_size, *config.output_features["action"].shape)
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xvla")
    write_tiny_bart_tokenizer(folder / "tokenizer")
    for index in range(CASES):
        chosen = settings(np.random.default_rng(index), index) | {"tokenizer_name": str(folder / "tokenizer")}
        width = SPACES[chosen["action_mode"].lower()]
        outputs = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(width,))}
        config = XVLAConfig(input_features=shapes(index), output_features=outputs, device="cpu", **chosen)
        write_case(folder / str(index), index, config, data(index, config), chosen)
    run_peer("peer_xvla.py", folder)
    return folder


def differences(folder: Path, saved_by: str, tolerance: float) -> list[str]:
    """What a policy does otherwise than the peer does with the same weights, each with its difference."""
    pair = loaded(folder, saved_by, ())
    policy, preprocessor = pair.policy, pair.processors.preprocessor
    assert isinstance(policy, XVLAPolicy)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / f"{saved_by}.safetensors")
    seed, wrong = int(tensors["seed"]), []

    def compare(name: str, ours: torch.Tensor, largest: float | None = None) -> None:
        expected = theirs[name].double()
        assert ours.shape == expected.shape, name
        largest = float(expected.abs().max()) if largest is None else largest
        error = (ours.detach().double() - expected).abs().max() / max(1.0, largest)
        if not error <= tolerance:
            wrong.append(f"{name} {error:.2e}")

    tick = preprocessor({**part(tensors, "tick"), "task": TASKS}) | {"domain_id": tensors["domain"]}
    # Releases of torch draw numbers of few bits differently.
    exact = policy.config.dtype == "float32"
    noise = None if exact else tensors["noise"]
    torch.manual_seed(seed)
    compare("chunk", policy.predict_action_chunk(tick, noise=noise))
    batch = preprocessor({**part(tensors, "batch"), "task": TASKS})
    for key, processed in part(theirs, "processed").items():
        if "language" in key or key == "domain_id":
            assert torch.equal(batch[key], processed), key
        else:
            compare(f"processed.{key}", batch[key])
    batch["domain_id"] = tensors["domain"]

    few = torch.bfloat16
    time = None if exact else (tensors["first"].to(few) + torch.arange(ROWS, dtype=few) / ROWS) % (1 - 1e-5)

    def loss() -> torch.Tensor:
        torch.manual_seed(seed)
        return policy.forward(batch, noise=noise, time=time)[0]

    if exact:
        policy.train()
        compare("noisy_loss", loss())
        policy.eval()
    first = loss()
    first.backward()
    compare("loss", first)
    gradients = {name: each.grad for name, each in policy.named_parameters() if each.grad is not None}
    expected = part(theirs, "grad")
    assert set(gradients) == set(expected)
    steepest = None if exact else max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in gradients.items():
        compare(f"grad.{name}", gradient, steepest)
    preset = XVLAAdamWConfig.model_validate(policy.config.optimizer_preset())
    optimizer = preset.build(policy=policy)
    losses = []
    for _ in range(3):
        again = loss()
        optimizer.zero_grad()
        again.backward()
        optimizer.step()
        losses.append(again.detach())
    compare("curve", torch.stack(losses))
    return wrong


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    assert not differences(root / str(index), saved_by, 1e-5 if dtype(index) == "float32" else 2e-2)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)
