"""Which settings are accepted, and that they are those of published checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.diffusion.config import DiffusionConfig
from lerobot.policies.checkpoint.files import Checkpoint

# The settings of lerobot/diffusion_pusht that are not the defaults, as its card names them, in the published order.
PUSHT: dict[str, Any] = {
    "type": "diffusion",
    "n_obs_steps": 2,
    "input_features": {
        "observation.image": {"type": "VISUAL", "shape": [3, 96, 96]},
        "observation.state": {"type": "STATE", "shape": [2]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [2]}},
    "horizon": 16,
    "n_action_steps": 8,
    "crop_shape": [84, 84],
    "pretrained_backbone_weights": None,
    "use_group_norm": True,
    "use_separate_rgb_encoder_per_camera": False,
}


def test_published_settings_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PUSHT))
    dumped = Checkpoint.at(tmp_path).config().model_dump(mode="json")
    assert {key: dumped[key] for key in PUSHT} == PUSHT
    assert [key for key in dumped if key in PUSHT] == list(PUSHT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"horizon": 20, "n_action_steps": 8}, "multiple of 8"),
        ({"n_action_steps": 64}, "at most horizon - n_obs_steps \\+ 1 = 63"),
        ({"num_inference_steps": 101}, "at most num_train_timesteps, 100"),
        ({"vision_backbone": "vgg16"}, "resnet"),
        ({"vision_backbone": "resnet34"}, "ResNet34_Weights"),
        ({"use_group_norm": True}, "pretrained_backbone_weights = null"),
        ({"prediction_type": "velocity"}, "epsilon"),
        ({"noise_scheduler_type": "PNDM"}, "DDPM"),
        ({"resize_shape": (0, 5)}, "resize_shape of positive"),
        ({"crop_shape": (5, -1)}, "crop_shape of positive"),
        ({"resize_shape": (5, 5), "crop_ratio": 0.1}, "at least one pixel"),
        ({"crop_ratio": 1.5}, "less than or equal to 1"),
        ({"down_dims": (12, 24)}, "multiples of n_groups"),
        ({"down_dims": (12, 24), "n_groups": 4}, "the first one of 8"),
        ({"down_dims": ()}, "at least 1 item"),
        ({"kernel_size": 4}, "an odd kernel_size"),
        ({"diffusion_step_embed_dim": 7}, "an even diffusion_step_embed_dim"),
        ({"horizont": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        DiffusionConfig(**changes)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"crop_shape": (84, 80)}, (84, 80)),
        ({"resize_shape": (100, 55), "crop_ratio": 0.9}, (90, 49)),
        ({"resize_shape": (100, 55), "crop_shape": (3, 3)}, None),
    ],
)
def test_a_scaled_picture_is_cut_by_its_ratio(settings: dict[str, Any], expected: tuple[int, int] | None) -> None:
    assert DiffusionConfig(**settings).crop == expected


def test_actions_begin_with_the_oldest_observation() -> None:
    config = DiffusionConfig(n_obs_steps=3, horizon=8, n_action_steps=6)
    assert list(config.observation_delta_indices) == [-2, -1, 0]
    assert list(config.action_delta_indices) == [-2, -1, 0, 1, 2, 3, 4, 5]
    assert config.reward_delta_indices is None


def test_presets_are_the_published_ones() -> None:
    assert DiffusionConfig().optimizer_preset() == {
        "type": "adam",
        "lr": 1e-4,
        "betas": [0.95, 0.999],
        "eps": 1e-8,
        "weight_decay": 1e-6,
        "grad_clip_norm": 10.0,
    }
    assert DiffusionConfig().scheduler_preset() == {"type": "diffuser", "name": "cosine", "num_warmup_steps": 500}
