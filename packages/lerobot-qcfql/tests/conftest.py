"""A policy that is small, and what it learns from."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.qcfql.config import QCFQLConfig
from lerobot.qcfql.policy import QCFQLPolicy

TINY: dict[str, Any] = {
    "input_features": {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
        "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "device": "cpu",
    "chunk_size": 3,
    "hidden_dims": (16, 12),
    "flow_steps": 4,
    "n_samples": 3,
}
CAMERA = {"observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 17, 20))}


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Settings of a small policy."""
    return dict(TINY)


@pytest.fixture
def seeing() -> dict[str, Any]:
    """Changes that give it a camera."""
    return {"input_features": {**TINY["input_features"], **CAMERA}, "image_channels": (4, 4, 4)}


@pytest.fixture
def make() -> Callable[..., QCFQLPolicy]:
    """Makes a small policy, no two weights of which are alike."""

    def made(**changes: Any) -> QCFQLPolicy:
        torch.manual_seed(0)
        policy = QCFQLPolicy(QCFQLConfig(**{**TINY, **changes})).eval()
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter += 0.2 * torch.randn_like(parameter)
        policy.reset()
        return policy

    return made


@pytest.fixture
def make_batch() -> Callable[..., dict[str, Any]]:
    """Makes eight windows: the first ends in success, the second breaks off, the third is cut off after its end."""

    def made(config: QCFQLConfig, rows: int = 8) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(0)
        steps, actions = config.chunk_size, config.output_features["action"].shape[0]
        batch: dict[str, Any] = {
            key: torch.rand(rows, 2, *feature.shape, generator=generator)
            for key, feature in config.input_features.items()
        }
        batch["action"] = torch.rand(rows, steps, actions, generator=generator) * 2 - 1
        batch["next.reward"] = torch.rand(rows, steps, generator=generator)
        batch["next.success"] = torch.zeros(rows, steps, dtype=torch.bool)
        batch["action_is_pad"] = torch.zeros(rows, steps, dtype=torch.bool)
        shown = torch.zeros(rows, 2, dtype=torch.bool)
        batch["next.success"][0, -1] = True
        batch["action_is_pad"][1, 1:] = True
        shown[:3, 1] = True
        batch[f"{next(iter(config.input_features))}_is_pad"] = shown
        return batch

    return made
