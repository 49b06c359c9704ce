"""The contract of policies, and what is particular to ACT."""

from typing import Any

import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.core.testing import PolicyContract
from lerobot.policies.features import FeatureType, PolicyFeature

TINY: dict[str, Any] = {
    "input_features": {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
        "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 48)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))},
    "device": "cpu",
    "chunk_size": 5,
    "n_action_steps": 3,
    "pretrained_backbone_weights": None,
    "dim_model": 32,
    "n_heads": 4,
    "dim_feedforward": 64,
    "n_encoder_layers": 2,
    "n_vae_encoder_layers": 2,
    "latent_dim": 8,
}


def tiny_batch(rows: int = 8, seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    padding = torch.zeros(rows, 5, dtype=torch.bool)
    padding[0, 2:] = True
    return {
        "observation.state": torch.randn(rows, 6, generator=generator),
        "observation.images.top": torch.rand(rows, 3, 32, 48, generator=generator),
        "action": torch.randn(rows, 5, 4, generator=generator),
        "action_is_pad": padding,
    }


class TestContract(PolicyContract):
    capabilities = frozenset({"gradients", "padding"})

    @pytest.fixture
    def config(self) -> ACTConfig:
        return ACTConfig(**TINY)

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


class TestContractWithEnsembling(TestContract):
    @pytest.fixture
    def config(self) -> ACTConfig:
        return ACTConfig(**{**TINY, "n_action_steps": 1, "temporal_ensemble_coeff": 0.01})
