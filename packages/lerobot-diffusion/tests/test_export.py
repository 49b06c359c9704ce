"""An exported Diffusion Policy acts like Diffusion Policy: it is given the last observations, and all the noise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.registry import registry
from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.policy import DiffusionPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.files import export
from lerobot.policies.export.parity import random_observations
from lerobot.policies.export.program import ports_of_policy
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import statistics

FEATURES = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
}
PICTURE = {"observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 40, 40))}


def make(**changes: Any) -> PolicyWithProcessors:
    torch.manual_seed(0)
    small = {
        "horizon": 8,
        "n_action_steps": 3,
        "down_dims": (8, 16),
        "diffusion_step_embed_dim": 8,
        "num_train_timesteps": 2,
        "pretrained_backbone_weights": None,
        "vision_backbone": "resnet8",
        "crop_shape": (32, 32),
        "spatial_softmax_num_keypoints": 4,
    }
    action = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))}
    config = DiffusionConfig(
        device="cpu", **{"input_features": FEATURES, "output_features": action, **small, **changes}
    )
    return PolicyWithProcessors(DiffusionPolicy(config).eval(), make_processors(config, statistics(config)))


def test_the_window_and_all_noise_are_inputs(tmp_path: Path) -> None:
    trained = make()
    differences = export(trained, tmp_path, formats=["pt2"])
    assert max(differences.values()) < 1e-5
    described = json.loads((tmp_path / "policy.json").read_text())
    assert [(each["name"], each["shape"], each.get("steps"), each.get("noise")) for each in described["inputs"]] == [
        ("observation.state", ["batch", 2, 3], 2, None),
        ("observation.environment_state", ["batch", 2, 2], 2, None),
        ("noise", ["batch", 2, 8, 4], None, "normal"),
    ]
    assert described["n_action_steps"] == 3
    run = (
        registry.config_class("export_format", "pt2")()
        .build()
        .load(tmp_path / "policy.pt2", [each["name"] for each in described["inputs"]])
    )
    seen = random_observations(trained, ports_of_policy(trained.policy), 2, seed=5)
    first = run(seen)
    assert np.array_equal(first, run(seen))
    for draw in (0, 1):
        other = {**seen, "noise": seen["noise"].copy()}
        other["noise"][:, draw] += 1
        assert np.abs(run(other) - first).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"noise_scheduler_type": "DDIM", "prediction_type": "sample"}])
@pytest.mark.parametrize("name", ["onnx", "pt2", "torchscript"])
def test_every_kind_of_file_acts_like_the_policy(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    trained = make(**changes, input_features={**FEATURES, **PICTURE})
    assert max(export(trained, tmp_path, formats=[name]).values()) < 1e-4
