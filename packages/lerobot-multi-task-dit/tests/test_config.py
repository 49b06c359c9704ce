"""Which settings are accepted, that they are those of huggingface/lerobot, and where sizes come from."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tiny_clip import TEXT, VISION, tiny_settings

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.multi_task_dit.sizes import CLIP_B16, PUBLISHED, sizes_of
from lerobot.policies.checkpoint.files import Checkpoint

# What huggingface/lerobot 0.6.1 writes of a new policy, in its order.
PUBLISHED_FIELDS: dict[str, Any] = {
    "type": "multi_task_dit",
    "n_obs_steps": 2,
    "input_features": {},
    "output_features": {},
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
    "horizon": 32,
    "n_action_steps": 24,
    "objective": "diffusion",
    "noise_scheduler_type": "DDPM",
    "num_train_timesteps": 100,
    "beta_schedule": "squaredcos_cap_v2",
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "prediction_type": "epsilon",
    "clip_sample": True,
    "clip_sample_range": 1.0,
    "num_inference_steps": None,
    "sigma_min": 0.0,
    "num_integration_steps": 100,
    "integration_method": "euler",
    "timestep_sampling_strategy": "beta",
    "timestep_sampling_s": 0.999,
    "timestep_sampling_alpha": 1.5,
    "timestep_sampling_beta": 1.0,
    "hidden_dim": 512,
    "num_layers": 6,
    "num_heads": 8,
    "dropout": 0.1,
    "use_positional_encoding": False,
    "timestep_embed_dim": 256,
    "use_rope": True,
    "rope_base": 10000.0,
    "vision_encoder_name": "openai/clip-vit-base-patch16",
    "use_separate_rgb_encoder_per_camera": False,
    "vision_encoder_lr_multiplier": 0.1,
    "image_resize_shape": None,
    "image_crop_shape": [224, 224],
    "image_crop_is_random": True,
    "text_encoder_name": "openai/clip-vit-base-patch16",
    "tokenizer_max_length": 77,
    "tokenizer_padding": "max_length",
    "tokenizer_padding_side": "right",
    "tokenizer_truncation": True,
    "normalization_mapping": {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
    "optimizer_lr": 2e-05,
    "optimizer_betas": [0.95, 0.999],
    "optimizer_eps": 1e-08,
    "optimizer_weight_decay": 0.0,
    "scheduler_name": "cosine",
    "scheduler_warmup_steps": 0,
    "do_mask_loss_for_padding": False,
    "drop_n_last_frames": 7,
}


def test_settings_are_the_published_ones_in_their_order(tmp_path: Path) -> None:
    assert json.dumps(MultiTaskDiTConfig(device="cpu").model_dump(mode="json")) == json.dumps(PUBLISHED_FIELDS)
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED_FIELDS))
    assert Checkpoint.at(tmp_path).config() == MultiTaskDiTConfig(device="cpu")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objective": "consistency"}, "flow_matching"),
        ({"hidden_dim": 0}, "greater than 0"),
        ({"num_layers": 0}, "greater than 0"),
        ({"num_heads": 0}, "greater than 0"),
        ({"hidden_dim": 510}, "multiple of num_heads"),
        ({"hidden_dim": 24}, "heads of an even width"),
        ({"dropout": 1.1}, "less than or equal to 1"),
        ({"vision_encoder_name": "google/siglip"}, "'clip' in it"),
        ({"text_encoder_name": "bert"}, "'clip' in it"),
        ({"noise_scheduler_type": "PNDM"}, "DDIM"),
        ({"prediction_type": "v_prediction"}, "sample"),
        ({"num_train_timesteps": 0}, "greater than 0"),
        ({"num_inference_steps": 101}, "at most num_train_timesteps"),
        ({"beta_start": 0.5}, "at most beta_end"),
        ({"beta_end": 1.5}, "less than 1"),
        ({"sigma_min": 1.5}, "less than or equal to 1"),
        ({"num_integration_steps": 0}, "greater than 0"),
        ({"integration_method": "heun"}, "rk4"),
        ({"timestep_sampling_strategy": "normal"}, "uniform"),
        ({"timestep_sampling_s": 0}, "greater than 0"),
        ({"timestep_sampling_alpha": 0}, "greater than 0"),
        ({"timestep_sampling_beta": -1}, "greater than 0"),
        ({"timestep_embed_dim": 15}, "an even timestep_embed_dim"),
        ({"n_action_steps": 32}, "at most horizon - n_obs_steps \\+ 1 = 31"),
        ({"image_crop_shape": (0, 224)}, "image_crop_shape of positive"),
        ({"horizont": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        MultiTaskDiTConfig(**changes)


def image(*shape: int) -> dict[str, Any]:
    return {"type": "VISUAL", "shape": shape}


STATE = {"observation.state": {"type": "STATE", "shape": (5,)}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_features": {"observation.images.a": image(3, 32, 32)}}, "observation.state"),
        ({"input_features": {**STATE, "a": image(3, 32, 32), "b": image(3, 32, 33)}}, "all of one size"),
        ({"input_features": {**STATE, "a": image(1, 32, 32)}}, r"\(3, H, W\)"),
        ({"input_features": {**STATE, "a": image(3, 30, 40)}}, r"(?s)30 x 40.*32 x 32.*image_resize_shape='\[32, 32\]"),
        ({"image_resize_shape": (31, 64)}, "31 x 64"),
        ({"tokenizer_max_length": 17}, "at most the 16 tokens"),
    ],
)
def test_features_that_do_not_fit_are_refused(clip: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        MultiTaskDiTConfig(**tiny_settings(clip, **changes)).build()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (32, 32)),
        ({"image_crop_shape": None}, None),
        ({"image_crop_shape": (36, 41)}, None),
        ({"image_crop_shape": (36, 40)}, (36, 40)),
        ({"image_resize_shape": (32, 31)}, None),
        ({"image_resize_shape": (50, 60), "image_crop_shape": (48, 48)}, (48, 48)),
    ],
)
def test_images_are_cut_only_where_they_are_larger(
    clip: Path, changes: dict[str, Any], expected: tuple[int, int] | None
) -> None:
    assert MultiTaskDiTConfig(**tiny_settings(clip, **changes)).crop == expected


def test_actions_begin_with_the_oldest_observation() -> None:
    config = MultiTaskDiTConfig(n_obs_steps=3, horizon=8, n_action_steps=4)
    assert list(config.observation_delta_indices) == [-2, -1, 0]
    assert list(config.action_delta_indices) == [-2, -1, 0, 1, 2, 3, 4, 5]
    assert (config.unlearned_last_frames, config.executed_steps) == (2, 4)


def test_presets_are_the_published_ones() -> None:
    assert MultiTaskDiTConfig().optimizer_preset() == {
        "type": "adam",
        "lr": 2e-5,
        "betas": [0.95, 0.999],
        "eps": 1e-8,
        "weight_decay": 0.0,
        "grad_clip_norm": 10.0,
    }
    assert MultiTaskDiTConfig().scheduler_preset() == {"type": "diffuser", "name": "cosine", "num_warmup_steps": 0}


def test_sizes_are_those_of_the_name_the_folder_or_the_settings(clip: Path) -> None:
    assert (MultiTaskDiTConfig().vision, MultiTaskDiTConfig().text) == PUBLISHED[CLIP_B16]
    named = MultiTaskDiTConfig(**tiny_settings(clip, vision_size=None, text_size=None))
    own = MultiTaskDiTConfig(**tiny_settings(clip))
    assert (named.vision, named.text) == (own.vision, own.text)
    assert own.model_dump(mode="json")["vision_size"] == {**VISION, "activation": "quick_gelu", "norm_eps": 1e-5}
    assert not {"vision_size", "text_size"} & set(named.model_dump())
    assert MultiTaskDiTConfig.model_validate(own.model_dump(mode="json")) == own
    assert own.vocabulary == TEXT["vocabulary"]


def test_files_say_what_differs_from_the_defaults_of_transformers(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    fields = {"vision_config": {"patch_size": 16}, "text_config": {"eos_token_id": 2}}
    (folder / "config.json").write_text(json.dumps(fields))
    assert sizes_of(str(folder)) == PUBLISHED[CLIP_B16]
    (folder / "config.json").write_text('{"model_type": "siglip"}')
    with pytest.raises(CheckpointError, match="describes no CLIP"):
        sizes_of(str(folder))
