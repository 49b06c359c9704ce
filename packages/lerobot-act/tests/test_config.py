"""Which settings are accepted, and that they are those of published checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.act.config import ACTConfig
from lerobot.policies.checkpoint.files import Checkpoint

DATA = Path(__file__).parents[4] / "shared" / "data" / "policy_configs"


def test_a_published_configuration_survives_unchanged_and_in_order() -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    published = json.loads((DATA / "libero_act" / "config.json").read_text())
    dumped = Checkpoint.at(DATA / "libero_act").config().model_dump(mode="json")
    assert dumped == published
    assert list(dumped) == list(published)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_obs_steps": 2}, "n_obs_steps = 1"),
        ({"n_action_steps": 101}, "at most the chunk_size, 100"),
        ({"temporal_ensemble_coeff": 0.01}, "n_action_steps = 1 with temporal_ensemble_coeff"),
        ({"vision_backbone": "vgg16"}, "resnet"),
        ({"vision_backbone": "resnet34"}, "ResNet34_Weights"),
        ({"vision_backbone": "resnet8"}, "pretrained_backbone_weights=null"),
        ({"pretrained_backbone_weights": "ResNet18_Weights.IMAGENET22K"}, "ResNet18_Weights"),
        ({"replace_final_stride_with_dilation": True}, "resnet50 or larger"),
        ({"dim_model": 511}, "multiple of 4"),
        ({"dim_model": 12, "n_heads": 8}, "multiple of 4 and of n_heads"),
        ({"feedforward_activation": "glu"}, "relu"),
        ({"dropout": 1.0}, "less than 1"),
        ({"chunk_sise": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        ACTConfig(**changes)


def test_the_chunk_is_what_is_learned() -> None:
    config = ACTConfig(chunk_size=3, n_action_steps=2)
    assert list(config.action_delta_indices) == [0, 1, 2]
    assert config.observation_delta_indices is None
    assert config.reward_delta_indices is None
    assert config.scheduler_preset() is None
    assert config.optimizer_preset() == {
        "type": "adamw",
        "lr": 1e-5,
        "weight_decay": 1e-4,
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "grad_clip_norm": 10.0,
    }
