"""Which settings of N1.7 are accepted, that they are those of published checkpoints, and what its bases say."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from tiny_groot_n17 import nvidia_config, tiny_settings, tiny_sizes

from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError
from lerobot.groot.config import EarlierGrootConfig
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.modeling import GrootN17
from lerobot.groot.n17.sizes import PUBLISHED, GrootN17Size
from lerobot.policies.checkpoint.files import Checkpoint

PUBLISHED_SETTINGS: dict[str, Any] = {
    "type": "groot",
    "n_obs_steps": 1,
    "input_features": {
        "observation.images.front": {"type": "VISUAL", "shape": [3, 480, 640]},
        "observation.state": {"type": "STATE", "shape": [6]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [6]}},
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
    "chunk_size": 40,
    "n_action_steps": 40,
    "max_state_dim": 132,
    "max_action_dim": 132,
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "IDENTITY", "ACTION": "IDENTITY"},
    "base_model_path": "nvidia/GR00T-N1.7-3B",
    "action_decode_transform": None,
    "embodiment_tag": "new_embodiment",
    "tune_llm": False,
    "tune_visual": False,
    "tune_projector": True,
    "tune_diffusion_model": True,
    "tune_vlln": True,
    "tune_top_llm_layers": 0,
    "num_inference_timesteps": None,
    "rtc_ramp_rate": None,
    "use_flash_attention": False,
    "use_relative_actions": False,
    "relative_exclude_joints": [],
    "optimizer_lr": 0.0001,
    "optimizer_betas": [0.9, 0.999],
    "optimizer_eps": 1e-08,
    "optimizer_weight_decay": 1e-05,
    "warmup_ratio": 0.05,
    "use_bf16": True,
    "model_params_fp32": True,
    "image_size": [256, 256],
    "tokenizer_assets_repo": None,
    "lora_rank": 0,
    "lora_alpha": 16,
    "lora_dropout": 0.1,
    "lora_full_model": False,
    "video_backend": "decord",
    "balance_dataset_weights": True,
    "balance_trajectory_weights": True,
    "dataset_paths": None,
    "output_dir": "./tmp/gr00t",
    "save_steps": 1000,
    "max_steps": 10000,
    "batch_size": 32,
    "dataloader_num_workers": 8,
    "report_to": "wandb",
    "resume": False,
}
"""What the peer's release 0.6.1 writes for a new policy, in its order."""


def written(folder: Path, fields: dict[str, Any]) -> Checkpoint:
    (folder / "config.json").write_text(json.dumps(fields))
    return Checkpoint.at(folder)


def test_published_settings_are_kept_as_they_are_and_in_order(tmp_path: Path) -> None:
    config = written(tmp_path, PUBLISHED_SETTINGS).config()
    assert isinstance(config, GrootConfig)
    dumped = config.model_dump(mode="json")
    assert dumped == PUBLISHED_SETTINGS
    assert list(dumped) == list(PUBLISHED_SETTINGS)
    assert config.size == PUBLISHED
    assert config.executed_steps == 40
    assert list(config.action_delta_indices) == list(range(40))
    assert config.unlearned_last_frames == 39


def test_the_recipe_is_the_published_one() -> None:
    config = GrootConfig()
    assert config.scheduler_preset() == {"type": "diffuser", "name": "cosine", "num_warmup_steps": 500}
    assert config.optimizer_preset() == {
        "type": "adamw",
        "lr": 1e-4,
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "weight_decay": 1e-5,
        "grad_clip_norm": 1.0,
    }


def test_a_file_of_an_earlier_release_is_a_groot_n15(tmp_path: Path) -> None:
    earlier = {
        **{name: value for name, value in PUBLISHED_SETTINGS.items() if name in EarlierGrootConfig.model_fields},
        "tokenizer_assets_repo": "lerobot/eagle2hg-processor-groot-n1p5",
        "base_model_path": "nvidia/GR00T-N1.5-3B",
        "max_state_dim": 64,
    }
    config = written(tmp_path, earlier).config()
    assert type(config) is EarlierGrootConfig
    assert (config.type, config.max_state_dim) == ("groot", 64)


@pytest.mark.parametrize(
    ("tag", "given", "expected"),
    [
        ("libero_sim", {}, "libero"),
        ("libero_sim", {"action_decode_transform": "none"}, None),
        ("libero_sim", {"action_decode_transform": ""}, None),
        ("libero_sim", {"action_decode_transform": None}, None),
        ("new_embodiment", {}, None),
        ("new_embodiment", {"action_decode_transform": "auto"}, None),
        ("new_embodiment", {"action_decode_transform": "LIBERO"}, "libero"),
    ],
)
def test_the_gripper_of_libero_is_asked_for_by_name_or_by_the_kind_of_robot(
    tag: str, given: dict[str, Any], expected: str | None
) -> None:
    assert GrootConfig(embodiment_tag=tag, **given).action_decode_transform == expected


def test_defaults_of_n15_become_those_of_n17_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    old = {"max_state_dim": 64, "max_action_dim": 32, "chunk_size": 50, "n_action_steps": 50, "image_size": [224, 224]}
    with caplog.at_level(logging.WARNING):
        config = GrootConfig(**old)
    assert (config.max_state_dim, config.max_action_dim, config.chunk_size, config.n_action_steps) == (132, 132, 40, 40)
    assert config.image_size == (256, 256)
    assert all(f"{name}=" in caplog.text for name in old)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_action_steps": 41}, "at most the chunk_size"),
        ({"n_obs_steps": 2}, "one observation"),
        ({"tokenizer_assets_repo": "eagle"}, "N1.5 is the policy groot_n15"),
        ({"base_model_path": "me/GR00T-N1.5-mine"}, "N1.5 is the policy groot_n15"),
        ({"action_decode_transform": "robocasa"}, "'libero'"),
        ({"network": tiny_sizes(reader={"layers": 1, "heads": 4, "head_width": 7})}, "as wide as what Qwen3-VL"),
        ({"network": {**tiny_sizes(), "backbone": {"text_config": {}}}}, "a backbone with vision_config"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        GrootConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_features": {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}}, "observation.state"),
        ({"input_features": {"observation.state": {"type": "STATE", "shape": (5,)}}}, "at least one camera"),
        ({"max_state_dim": 4}, "max_state_dim=5"),
        ({"max_action_dim": 3}, "max_action_dim=4"),
    ],
)
def test_features_that_do_not_fit_are_refused(vlm: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        GrootConfig(**tiny_settings(vlm, **changes)).build()


# --- files of NVIDIA's layout ----------------------------------------------------------------------------------------


def base(folder: Path, vlm: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> GrootConfig:
    """Settings that take sizes from files."""
    fields = {**nvidia_config(tiny_sizes(), 10, 8), "model_name": str(vlm)}
    change(fields)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(fields))
    return GrootConfig(**tiny_settings(vlm, network=None, base_model_path=str(folder)))


def test_sizes_come_from_files_and_settings_go_before_them(tmp_path: Path, vlm: Path) -> None:
    config = base(tmp_path / "base", vlm)
    assert config.size == GrootN17Size(**tiny_sizes())
    chosen = config.model_copy(update={"num_inference_timesteps": 2, "rtc_ramp_rate": 1.5}).size.head
    assert (chosen.steps, chosen.ramp_rate) == (2, 1.5)


def test_a_file_that_says_nothing_has_the_published_sizes(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "Gr00tN1d7"}))
    assert GrootConfig(base_model_path=str(tmp_path)).size == PUBLISHED


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda fields: fields.update(model_type="gr00t_n1_5", architectures=[]), "GR00T N1.5 is the policy groot_n15"),
        (lambda fields: fields.update(type="groot"), "--policy.path"),
        (lambda fields: fields.update(max_state_dim=44), "max_state_dim is 44, and only 10"),
        (lambda fields: fields.update(use_vlln=False), "use_vlln is False"),
        (lambda fields: fields.update(use_alternate_vl_dit=False), "use_alternate_vl_dit is False"),
        (lambda fields: fields["diffusion_model_cfg"].pop("positional_embeddings"), "positional_embeddings is sinus"),
        (lambda fields: fields["vl_self_attention_cfg"].update(num_layers=0), "greater than 0"),
        (lambda fields: fields.update(input_embedding_dim=7), "input_embedding_dim is 7"),
        (lambda fields: fields.update(model_name="/no/such/folder"), "does not exist"),
    ],
)
def test_files_that_say_something_else_are_refused(
    change: Callable[[dict[str, Any]], Any], expected: str, tmp_path: Path, vlm: Path
) -> None:
    config = base(tmp_path / "base", vlm, change)
    with pytest.raises(CheckpointError, match=expected):
        _ = config.size


def test_a_base_that_is_gone_is_asked_for(vlm: Path) -> None:
    """Its horizon would be guessed otherwise, and actions executed that nobody learned."""
    config = GrootConfig(**tiny_settings(vlm, network=None, base_model_path="/no/such/base"))
    for asked in (lambda: config.build(from_scratch=False), lambda: config.executed_steps):
        with pytest.raises(CheckpointError, match="/no/such/base does not exist"):
            asked()


def test_a_base_says_how_many_actions_are_learned_and_executed(tmp_path: Path, vlm: Path) -> None:
    config = base(tmp_path / "base", vlm).model_copy(update={"n_action_steps": 6})
    parts = {"action": {"delta_indices": list(range(5))}}
    said = {"processor_kwargs": {"modality_configs": {"new_embodiment": parts}}}
    (tmp_path / "base/processor_config.json").write_text(json.dumps(said))
    assert (config.horizon, config.executed_steps, config.unlearned_last_frames) == (5, 5, 4)
    other = config.model_copy(update={"embodiment_tag": "simpler_env_google"})
    assert (other.horizon, other.executed_steps) == (6, 6)


def test_in_libero_eight_actions_are_executed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "Gr00tN1d7"}))
    parts = {"action": {"delta_indices": list(range(16))}}
    said = {"processor_kwargs": {"modality_configs": {"libero_sim": parts, "new_embodiment": parts}}}
    (tmp_path / "processor_config.json").write_text(json.dumps(said))
    config = GrootConfig(base_model_path=str(tmp_path), embodiment_tag="libero_sim")
    assert (config.horizon, config.executed_steps) == (16, 8)
    kept = config.with_sizes()
    assert (kept.network, kept.chunk_size, kept.executed_steps) == (PUBLISHED, 16, 8)
    assert GrootConfig(base_model_path=str(tmp_path)).executed_steps == 16
    assert GrootConfig(embodiment_tag="libero_sim").executed_steps == 40


def test_a_damaged_file_is_refused(tmp_path: Path, vlm: Path) -> None:
    config = base(tmp_path / "base", vlm)
    (tmp_path / "base/processor_config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"processor_config\.json is not understood"):
        _ = config.horizon


def test_a_new_policy_starts_from_the_weights_of_its_base_in_several_files(tmp_path: Path, vlm: Path) -> None:
    config = base(tmp_path / "base", vlm)
    torch.manual_seed(0)
    weights = {name: each.clone() for name, each in GrootN17(config.size, 10, 8).state_dict().items()}
    weights.pop("backbone.model.lm_head.weight")
    names = sorted(weights)
    parts = {"a.safetensors": names[:50], "b.safetensors": names[50:]}
    for file, chosen in parts.items():
        save_file({name: weights[name] for name in chosen}, tmp_path / "base" / file)
    index = {"weight_map": {name: file for file, chosen in parts.items() for name in chosen}}
    (tmp_path / "base/model.safetensors.index.json").write_text(json.dumps(index))
    found = config.model_copy(update={"load_base_weights": True}).build().state_dict()
    assert all(torch.equal(found[f"_groot_model.{name}"], each) for name, each in weights.items())


def test_a_field_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a field of the policy"):
        written(tmp_path, {**PUBLISHED_SETTINGS, "model_version": "n1.7"}).config()
