"""An exported ACT acts like ACT: every kind of input, any batch size."""

from pathlib import Path

import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.export.files import export
from lerobot.policies.features import FeatureType, PolicyFeature

FEATURES = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
    "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(4,)),
    "observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 48, 64)),
    "observation.images.wrist": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 32)),
    "action": PolicyFeature(type=FeatureType.ACTION, shape=(6,)),
}


@pytest.mark.parametrize(
    ("formats", "settings"),
    [
        (("pt2",), {}),
        pytest.param(("onnx",), {"pre_norm": True, "use_vae": False}, marks=pytest.mark.slow),
        pytest.param(("onnx",), {"temporal_ensemble_coeff": 0.01, "n_action_steps": 1}, marks=pytest.mark.slow),
    ],
)
def test_exported_files_act_like_the_policy(
    tmp_path: Path, formats: tuple[str, ...], settings: dict[str, float]
) -> None:
    torch.manual_seed(0)
    small = {
        "vision_backbone": "resnet8",
        "dim_model": 32,
        "n_heads": 2,
        "dim_feedforward": 64,
        "chunk_size": 5,
        "n_action_steps": 5,
    }
    config = ACTConfig(device="cpu", pretrained_backbone_weights=None, **{**small, **settings})  # type: ignore[arg-type]
    stats = {
        key: {"mean": torch.randn(each.shape[0]), "std": 10 + torch.rand(each.shape[0])}
        for key, each in FEATURES.items()
    }
    policy = make_policy(config, FEATURES)
    trained = PolicyWithProcessors(policy, make_pre_post_processors(policy.config, stats))
    differences = export(trained, tmp_path, formats=formats)
    assert {path.name for path in differences} == {f"policy.{name}" for name in formats}
    assert max(differences.values()) < 1e-5
    assert '"batch"' in (tmp_path / "policy.json").read_text()
