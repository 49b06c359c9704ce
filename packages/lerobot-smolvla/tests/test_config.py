"""Which settings are accepted, that they are those of published checkpoints, and where sizes come from."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tiny_smolvlm import tiny_settings

from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.sizes import PUBLISHED, image_tokens, size_of

# What lerobot/smolvla_base says, in the published order.
BASE: dict[str, Any] = {
    "type": "smolvla",
    "n_obs_steps": 1,
    "input_features": {
        "observation.state": {"type": "STATE", "shape": [6]},
        "observation.images.camera1": {"type": "VISUAL", "shape": [3, 256, 256]},
        "observation.images.camera2": {"type": "VISUAL", "shape": [3, 256, 256]},
        "observation.images.camera3": {"type": "VISUAL", "shape": [3, 256, 256]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [6]}},
    "chunk_size": 50,
    "n_action_steps": 50,
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
    "max_state_dim": 32,
    "max_action_dim": 32,
    "resize_imgs_with_padding": [512, 512],
    "empty_cameras": 0,
    "adapt_to_pi_aloha": False,
    "use_delta_joint_actions_aloha": False,
    "tokenizer_max_length": 48,
    "num_steps": 10,
    "use_cache": True,
    "freeze_vision_encoder": True,
    "train_expert_only": True,
    "train_state_proj": True,
    "optimizer_lr": 0.0001,
    "optimizer_betas": [0.9, 0.95],
    "optimizer_eps": 1e-08,
    "optimizer_weight_decay": 1e-10,
    "optimizer_grad_clip_norm": 10.0,
    "scheduler_warmup_steps": 1000,
    "scheduler_decay_steps": 30000,
    "scheduler_decay_lr": 2.5e-06,
    "vlm_model_name": "HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
    "load_vlm_weights": True,
    "add_image_special_tokens": False,
    "attention_mode": "cross_attn",
    "prefix_length": 0,
    "pad_language_to": "max_length",
    "num_expert_layers": 0,
    "num_vlm_layers": 16,
    "self_attn_every_n_layers": 2,
    "expert_width_multiplier": 0.75,
    "min_period": 0.004,
    "max_period": 4.0,
    "rtc_config": None,
    "compile_model": False,
    "compile_mode": "max-autotune",
}


def test_published_settings_are_kept_as_they_are_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(BASE))
    dumped = Checkpoint.at(tmp_path).config().model_dump(mode="json")
    assert {key: dumped[key] for key in BASE} == BASE
    assert [key for key in dumped if key in BASE] == list(BASE)
    # Nothing that the peer does not know.
    assert set(dumped) - set(BASE) == {
        *("device", "use_amp", "use_peft", "push_to_hub", "repo_id", "private", "tags", "license"),
        *("pretrained_path", "pretrained_revision"),
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_action_steps": 51}, "at most the chunk_size"),
        ({"use_cache": False}, "True"),
        ({"use_delta_joint_actions_aloha": True}, "False"),
        ({"attention_mode": "cross"}, "self_attn"),
        ({"num_steps": 0}, "greater than 0"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        SmolVLAConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"adapt_to_pi_aloha": True}, "14 joints of an ALOHA"),
        ({"input_features": {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}}, "observation.state"),
        ({"max_state_dim": 4}, "max_state_dim=5"),
    ],
)
def test_features_that_do_not_fit_are_refused(vlm: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        SmolVLAConfig(**tiny_settings(vlm, **changes)).build()


@pytest.mark.parametrize(
    "changes",
    [{"num_expert_layers": 3}, {"num_expert_layers": 8}, {"num_expert_layers": 2, "self_attn_every_n_layers": 2}],
)
def test_layers_that_do_not_fit_are_refused(vlm: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(LeRobotError, match="layers of the expert beside 4"):
        SmolVLAConfig(**tiny_settings(vlm, **changes)).build()


def test_sizes_are_those_of_the_name_the_folder_or_the_settings(vlm: Path) -> None:
    assert SmolVLAConfig().size is next(iter(PUBLISHED.values()))
    found = size_of(str(vlm))
    assert (found.text.width, found.text.vocabulary, found.vision.patch, found.dtype) == (32, 300, 8, "float32")
    assert image_tokens(str(vlm), found) == (3, 4)
    own = SmolVLAConfig(vlm_model_name="nobody/knows", vlm=found)
    assert own.size == found
    assert SmolVLAConfig.model_validate(own.model_dump(mode="json")) == own


def test_a_folder_with_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(CheckpointError, match="describes no SmolVLM"):
        SmolVLAConfig(**tiny_settings(tmp_path)).build()
