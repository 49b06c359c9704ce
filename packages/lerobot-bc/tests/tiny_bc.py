"""Tiny policies and batches of every shape."""

from typing import Any

import torch

from lerobot.bc.config import BCConfig, BCMLPConfig, BCRNNConfig, BCTransformerConfig
from lerobot.bc.policy import BCPolicy
from lerobot.policies.features import FeatureType, PolicyFeature

STATE = "observation.state"
FEATURES: dict[str, Any] = {
    "input_features": {
        STATE: PolicyFeature(type=FeatureType.STATE, shape=(3,)),
        "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "device": "cpu",
}
PICTURE = {"observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40))}
SIZES: dict[str, Any] = {
    "vision_backbone": "resnet8",
    "spatial_softmax_num_keypoints": 4,
    "image_feature_dim": 6,
    "gmm_modes": 3,
    "vae_hidden_dims": (12,),
    "value_hidden_dims": (8,),
    "critic_hidden_dims": (12, 8),
    "target_samples": 4,
    # A row alone draws what it draws in a batch if it draws a multiple of sixteen numbers.
    "acting_samples": 8,
}


def mlp(**changes: Any) -> BCMLPConfig:
    return BCMLPConfig(**{**FEATURES, **SIZES, "hidden_dims": (16, 12), **changes})


def rnn(**changes: Any) -> BCRNNConfig:
    return BCRNNConfig(**{**FEATURES, **SIZES, "n_obs_steps": 4, "rnn_dim": 10, **changes})


def transformer(**changes: Any) -> BCTransformerConfig:
    sizes = {"n_obs_steps": 4, "width": 16, "layers": 2, "heads": 2}
    return BCTransformerConfig(**{**FEATURES, **SIZES, **sizes, **changes})


def make(config: BCConfig) -> BCPolicy:
    """A policy with weights far from where they begin."""
    torch.manual_seed(0)
    policy: BCPolicy = config.build().eval()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    policy.reset()
    return policy


def batch_for(config: BCConfig, rows: int = 8) -> dict[str, Any]:
    """What such a policy is trained on; of the first row the episode ends with its last step but one, if it can."""
    generator = torch.Generator().manual_seed(0)
    seen, steps = config.observation_delta_indices, len(config.learned_steps)
    time = () if seen is None else (len(seen),)
    found: dict[str, Any] = {
        key: torch.rand(rows, *time, *feature.shape, generator=generator)
        for key, feature in config.input_features.items()
    }
    found["action"] = torch.rand(rows, steps, 2, generator=generator) * 2 - 1
    found["next.reward"] = torch.rand(rows, steps, generator=generator)
    found["return_to_go"] = torch.randn(rows, steps, generator=generator)
    found["action_is_pad"] = torch.zeros(rows, steps, dtype=torch.bool)
    found[f"{STATE}_is_pad"] = torch.zeros(rows, *(time or (1,)), dtype=torch.bool)
    found["action_is_pad"][0, -1] = True
    found[f"{STATE}_is_pad"][:2, -1] = True
    return found


def newest(config: BCConfig, batch: dict[str, Any]) -> dict[str, Any]:
    """One observation of each row, as there is while acting."""
    keys = config.input_features
    return {key: batch[key] if config.observation_delta_indices is None else batch[key][:, 0] for key in keys}
