"""Which settings are accepted, and that they are those of published checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tiny_xvla import tiny_florence, tiny_settings

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.xvla.config import XVLAConfig

# What huggingface/lerobot writes for a policy with the defaults, in its order.
PUBLISHED: dict[str, Any] = {
    "type": "xvla",
    "n_obs_steps": 1,
    "input_features": {
        "observation.images.image": {"type": "VISUAL", "shape": [3, 256, 256]},
        "observation.images.image2": {"type": "VISUAL", "shape": [3, 256, 256]},
        "observation.state": {"type": "STATE", "shape": [8]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [20]}},
    "device": "cpu",
    "use_amp": False,
    "use_peft": False,
    "push_to_hub": True,
    "repo_id": None,
    "private": None,
    "tags": None,
    "license": None,
    "pretrained_path": None,
    "pretrained_revision": None,
    "chunk_size": 32,
    "n_action_steps": 32,
    "dtype": "float32",
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "IDENTITY", "ACTION": "IDENTITY"},
    "florence_config": tiny_florence(),
    "tokenizer_name": "facebook/bart-large",
    "tokenizer_max_length": 64,
    "tokenizer_padding_side": "right",
    "pad_language_to": "max_length",
    "hidden_size": 1024,
    "depth": 24,
    "num_heads": 16,
    "mlp_ratio": 4.0,
    "num_domains": 30,
    "len_soft_prompts": 32,
    "dim_time": 32,
    "max_len_seq": 512,
    "use_hetero_proj": False,
    "action_mode": "ee6d",
    "num_denoising_steps": 10,
    "use_proprio": True,
    "max_state_dim": 32,
    "max_action_dim": 20,
    "domain_feature_key": None,
    "resize_imgs_with_padding": None,
    "num_image_views": 2,
    "empty_cameras": 0,
    "freeze_vision_encoder": False,
    "freeze_language_encoder": False,
    "train_policy_transformer": True,
    "train_soft_prompts": True,
    "optimizer_lr": 0.0001,
    "optimizer_betas": [0.9, 0.99],
    "optimizer_eps": 1e-08,
    "optimizer_weight_decay": 0.0,
    "optimizer_grad_clip_norm": 10.0,
    "optimizer_soft_prompt_lr_scale": 1.0,
    "optimizer_soft_prompt_warmup_lr_scale": None,
    "scheduler_warmup_steps": 1000,
    "scheduler_decay_steps": 30000,
    "scheduler_decay_lr": 2.5e-06,
}


def test_published_settings_are_kept_as_they_are_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED))
    config = Checkpoint.at(tmp_path).config()
    assert json.dumps(config.model_dump(mode="json")) == json.dumps(PUBLISHED)
    kept = {key: PUBLISHED[key] for key in ("type", "input_features", "output_features", "device", "florence_config")}
    assert XVLAConfig(**kept) == config


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chunk_size": 0}, "greater than 0"),
        ({"n_action_steps": 33}, "at most the chunk_size"),
        ({"num_image_views": 0}, "greater than 0"),
        ({"dtype": "float16"}, "bfloat16"),
        ({"hidden_size": 30}, "num_heads divides"),
        ({"n_obs_steps": 2}, "n_obs_steps = 1"),
        ({"florence_config": {"text_config": {}}}, r"florence_config\.vision_config"),
        ({"florence_config": {"vision_config": {}}}, r"florence_config\.text_config"),
        ({"florence_config": tiny_florence(model_type="vit")}, r"vision_config\.model_type.*davit"),
        ({"florence_config": tiny_florence(embed_dim=[8, 15])}, "num_heads and num_groups divide"),
        ({"florence_config": tiny_florence(depths=[1, 1, 1])}, "as there are stages"),
        ({"florence_config": tiny_florence(projection_dim=16)}, "projection_dim of vision_config that is the d_model"),
        (
            {"florence_config": tiny_florence(image_pos_embed={"type": "sine", "max_pos_embeddings": 3})},
            "learned_abs_2d",
        ),
        ({"florence_config": tiny_florence(image_feature_source=["last_frame"])}, "image_feature_source"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        XVLAConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_features": {"observation.state": {"type": "STATE", "shape": (5,)}}}, "at least one camera"),
        ({"input_features": {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}}, "observation.state"),
    ],
)
def test_features_that_do_not_fit_are_refused(tokenizer: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        XVLAConfig(**tiny_settings(tokenizer, **changes)).build()


def test_a_policy_without_a_backbone_is_refused(tokenizer: Path) -> None:
    with pytest.raises(LeRobotError, match="no florence_config") as raised:
        XVLAConfig(**tiny_settings(tokenizer, florence_config={})).build()
    assert "--policy.path=lerobot/xvla-base" in str(raised.value)


def test_a_state_is_not_needed_where_nobody_looks(tokenizer: Path) -> None:
    inputs = {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}
    policy = XVLAConfig(**tiny_settings(tokenizer, input_features=inputs, use_proprio=False)).build()
    assert policy.model.transformer.action_encoder.inputs == 8 + 8


def test_a_state_that_is_cut_is_said(tokenizer: Path, caplog: pytest.LogCaptureFixture) -> None:
    XVLAConfig(**tiny_settings(tokenizer, max_state_dim=4)).build()
    assert "observation.state has 5 numbers; policy 'xvla' looks at the first 4" in caplog.text


def test_images_are_counted_once(tokenizer: Path) -> None:
    settings = tiny_settings(tokenizer)
    config = XVLAConfig(**settings, empty_cameras=1)
    assert config.num_image_views == 3
    assert config.input_features["observation.images.empty_camera_0"].shape == (3, 32, 32)
    # As often as it is saved and loaded.
    assert XVLAConfig.model_validate(config.model_dump(mode="json")) == config
    assert XVLAConfig(**settings, num_image_views=5).num_image_views == 5
    new = XVLAConfig(**settings | {"input_features": {}, "output_features": {}}, empty_cameras=2)
    assert new.num_image_views is None
    assert new.with_features({**config.input_features, **config.output_features}).num_image_views == 4
