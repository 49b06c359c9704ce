"""Accelerated policies learn and act as their plain networks do: to 1e-5, in losses, gradients and actions."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lerobot.core.registry import registry
from lerobot.policies.acceleration import accelerate, layers, product
from lerobot.policies.policy import PreTrainedPolicy

CAMERA = "observation.image"
SMALL = {"pretrained_backbone_weights": None, "vision_backbone": "resnet8"}
POLICIES: dict[str, dict[str, Any]] = {
    "act": {"dim_model": 32, "n_heads": 4, "dim_feedforward": 48, "chunk_size": 8, "n_action_steps": 8},
    "diffusion": {"down_dims": (32, 64), "horizon": 8, "n_action_steps": 4, "num_train_timesteps": 4},
    "vqbet": {"gpt_n_layer": 2, "gpt_hidden_dim": 32, "gpt_n_head": 4, "n_vqvae_training_steps": 1},
}


def plain(kind: str) -> PreTrainedPolicy:
    settings = {**SMALL, **POLICIES[kind], **({} if kind == "act" else {"use_group_norm": True, "crop_shape": None})}
    torch.manual_seed(0)
    policy: PreTrainedPolicy = registry.config_class("policy", kind)(
        input_features={
            CAMERA: {"type": "VISUAL", "shape": (3, 64, 64)},
            "observation.state": {"type": "STATE", "shape": (4,)},
        },
        output_features={"action": {"type": "ACTION", "shape": (2,)}},
        device="cpu",
        **settings,
    ).build()
    return policy


def batch_for(policy: PreTrainedPolicy) -> dict[str, Tensor]:
    config = policy.config
    window = () if config.observation_delta_indices is None else (len(config.observation_delta_indices),)
    steps = len(config.action_delta_indices or ())
    found = {key: torch.rand(3, *window, *feature.shape) for key, feature in config.input_features.items()}
    return {**found, "action": torch.rand(3, steps, 2) * 2 - 1, "action_is_pad": torch.zeros(3, steps).bool()}


def learned(policy: PreTrainedPolicy, batch: dict[str, Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    policy.zero_grad()
    loss, _ = policy.train()(batch)
    loss.backward()
    return [loss.detach(), *(each.grad for each in policy.parameters() if each.grad is not None)]


def acted(policy: PreTrainedPolicy, batch: dict[str, Tensor]) -> list[Tensor]:
    policy.eval().reset()
    torch.manual_seed(2)
    window = policy.config.observation_delta_indices is not None
    seen = {key: value[:1, -1] if window else value[:1] for key, value in batch.items() if key.startswith("obs")}
    return [policy.select_action(seen) for _ in range(3)]


@pytest.mark.parametrize("intel", [True, False])
@pytest.mark.parametrize("kind", POLICIES)
def test_an_accelerated_policy_computes_what_its_plain_network_does(
    kind: str, intel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every weight taken for a large one, on processors of either maker, so that every twin does its work."""
    if not product._is_there():
        pytest.skip("torch has no oneDNN here")
    policy = plain(kind)
    batch = batch_for(policy)
    learned(policy, batch)  # after this one VQ-BeT learns behaviour
    fast = copy.deepcopy(policy)
    accelerate(fast)
    calls, own = [], product._multiply
    monkeypatch.setattr(product, "_is_intel", lambda: intel)
    monkeypatch.setattr(product, "_has_avx512", lambda: True)
    monkeypatch.setattr(product, "_LARGE_WEIGHT", 0)
    monkeypatch.setattr(product, "_MANY_ROWS", 2)
    monkeypatch.setattr(layers, "_LARGE_WEIGHT", 0)
    monkeypatch.setattr(product, "_multiply", lambda *given: calls.append(len(given)) or own(*given))
    compute: list[Callable[[PreTrainedPolicy, dict[str, Tensor]], list[Tensor]]] = [learned, acted]
    for results in compute:
        expected = results(policy, batch)
        assert not calls
        found = results(fast, batch)
        assert calls, "nothing was accelerated"
        calls.clear()
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            assert (one - two).abs().max() <= 1e-5 * max(1.0, float(two.abs().max()))
    assert list(fast.state_dict()) == list(policy.state_dict())


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("acceleration", ["auto", "off"])
def test_a_policy_is_accelerated_when_it_is_loaded_unless_that_is_off(
    kind: str, acceleration: str, tmp_path: Any
) -> None:
    policy = plain(kind)
    policy.save_pretrained(tmp_path)
    assert "acceleration" not in (tmp_path / "config.json").read_text()
    config = policy.config.model_copy(update={"acceleration": acceleration})
    loaded = PreTrainedPolicy.from_pretrained(tmp_path, config=config)
    assert any(isinstance(each, layers.FastLinear) for each in loaded.modules()) == (acceleration == "auto")
    weights = policy.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())
    loaded.save_pretrained(tmp_path)
    assert ('"acceleration": "off"' in (tmp_path / "config.json").read_text()) == (acceleration == "off")
