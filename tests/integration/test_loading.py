"""Every policy that is loaded without making its weights first is, to the last tensor, the one that was saved."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lerobot.core.registry import registry
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy

BACKBONE = {"vision_backbone": "resnet18", "pretrained_backbone_weights": None}
KINDS: dict[str, dict[str, Any]] = {
    "act": {
        **BACKBONE,
        "chunk_size": 4,
        "n_action_steps": 4,
        "dim_model": 32,
        "n_heads": 2,
        "dim_feedforward": 32,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "latent_dim": 4,
    },
    "diffusion": {
        **BACKBONE,
        "horizon": 8,
        "n_action_steps": 4,
        "down_dims": (16, 32),
        "diffusion_step_embed_dim": 16,
        "num_train_timesteps": 10,
        "crop_shape": (56, 56),
    },
    "vqbet": {
        **BACKBONE,
        "gpt_n_layer": 1,
        "gpt_hidden_dim": 32,
        "gpt_n_head": 2,
        "n_obs_steps": 2,
        "crop_shape": (56, 56),
    },
    "bc_transformer": {
        "vision_backbone": "resnet8",
        "n_obs_steps": 2,
        "width": 32,
        "layers": 1,
        "heads": 2,
        "objective": "awr",
    },
    "tdmpc": {"latent_dim": 8, "mlp_dim": 32, "state_encoder_hidden_dim": 16, "horizon": 3, "use_mpc": False},
}
INPUTS = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 64, 64)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))}

every_policy = pytest.mark.parametrize("kind", KINDS)


def made(kind: str, **changes: Any) -> PreTrainedPolicy:
    config_class = registry.config_class("policy", kind)
    fields = {"input_features": INPUTS, "output_features": OUTPUTS, "device": "cpu", **KINDS[kind], **changes}
    torch.manual_seed(0)
    return config_class(**fields).build().eval()


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """Everything in a module: parameters, buffers that are saved or not, and tensors that are simply attributes."""
    found = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers())}
    for name, part in module.named_modules():
        found |= {f"{name}.{key}": value for key, value in vars(part).items() if isinstance(value, Tensor)}
    return found


@every_policy
def test_what_is_loaded_is_what_was_saved(kind: str, tmp_path: Path) -> None:
    policy = made(kind)
    policy.save_pretrained(tmp_path)
    expected, found = tensors(policy), tensors(PreTrainedPolicy.from_pretrained(tmp_path))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].device == tensor.device
        assert found[name].requires_grad == tensor.requires_grad
        assert torch.equal(found[name], tensor), name


@every_policy
def test_a_policy_of_few_bits_acts_almost_alike(kind: str, tmp_path: Path) -> None:
    policy = made(kind)
    policy.save_pretrained(tmp_path)
    few_bits = PreTrainedPolicy.from_pretrained(tmp_path, config=policy.config.model_copy(update={"dtype": "bfloat16"}))
    observation = {key: torch.rand(1, *feature.shape) for key, feature in INPUTS.items()}
    actions = []
    for each in (policy, few_bits):
        torch.manual_seed(0)
        with torch.inference_mode(), each.precision():
            actions.append(each.select_action(observation).float())
    assert torch.isfinite(actions[1]).all()
    assert not torch.equal(*actions)
    if kind != "vqbet":  # an action of which is one of several codes, and rounding may choose another
        assert torch.allclose(*actions, atol=0.1)
